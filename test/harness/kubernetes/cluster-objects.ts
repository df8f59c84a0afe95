// SPDX-License-Identifier: Apache-2.0
/**
 * Objects of the cluster itself that tests need before they begin: kinds and namespaces, each waited for until it can be used.
 */
import {
  type Client,
  defineResource,
  isNotFound,
  type KubernetesObject,
  type ObjectRef,
  type Resource,
} from '@kmspool/operator/runtime';
import { customResourceDefinition } from '../../../crds/crd.ts';
import { waitFor } from '../wait.ts';
import { DNS_ENDPOINT_CRD } from './dnsendpoint-crd.ts';

/** A CustomResourceDefinition as it is read. */
export interface CrdObject extends KubernetesObject {
  spec?: object;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export const CRDS: Resource<CrdObject> = defineResource<CrdObject>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
});
export const NAMESPACES: Resource = defineResource({
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
});
const SERVICE_ACCOUNTS: Resource = defineResource({
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
});

/** Kinds that tests can install. */
export type CrdName = 'KmsHostPool' | 'DNSEndpoint';

const INSTALLABLE: Readonly<Record<CrdName, { readonly crd: () => CrdObject; readonly path: string }>> = {
  KmsHostPool: {
    crd: () => structuredClone(customResourceDefinition()),
    path: '/apis/kmspool.io/v1alpha1/kmshostpools',
  },
  DNSEndpoint: { crd: () => structuredClone(DNS_ENDPOINT_CRD), path: '/apis/externaldns.k8s.io/v1alpha1/dnsendpoints' },
};

/** Installs kinds and waits until the API server serves them. */
export async function installCrds(client: Client, names: readonly CrdName[]): Promise<void> {
  for (const name of names) await client.apply(CRDS, INSTALLABLE[name].crd(), { fieldManager: 'test' });
  for (const name of names)
    await waitFor(`the kind ${name}`, () => answers(client.request({ method: 'GET', path: INSTALLABLE[name].path })));
}

/** Removes a kind and all its objects, and waits until it is no longer served. */
export async function removeCrd(client: Client, name: CrdName): Promise<void> {
  const { crd, path } = INSTALLABLE[name];
  await client.delete(CRDS, { name: crd().metadata.name });
  await waitFor(`the end of the kind ${name}`, async () => !(await answers(client.request({ method: 'GET', path }))));
}

/** Makes a namespace; if wanted, waits until Pods can be made there. Answers its name. */
export async function makeNamespace(client: Client, name: string, forPods: boolean): Promise<string> {
  await client.create(NAMESPACES, { metadata: { name } });
  const account: ObjectRef = { namespace: name, name: 'default' };
  if (forPods) await waitFor('a ServiceAccount', () => answers(client.get(SERVICE_ACCOUNTS, account)), 30_000);
  return name;
}

async function answers(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
