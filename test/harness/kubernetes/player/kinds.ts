// SPDX-License-Identifier: Apache-2.0

// The kinds that the node player reads and writes, with as much of their types as it uses. Types and addresses only.
import type { ConfigMap, Secret } from '../../../../operator/pool/kinds.ts';
import { defineResource, type KubernetesObject, type ObjectMeta } from '../../../../operator/runtime/index.ts';

/** A Pod with its spec: what a kubelet needs of it. */
export interface FullPod extends KubernetesObject {
  readonly metadata: ObjectMeta & { readonly deletionGracePeriodSeconds?: number };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly Container[];
    readonly volumes?: readonly Volume[];
  };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
  readonly terminationMessagePolicy?: string;
  readonly readinessProbe?: {
    readonly httpGet?: { readonly path?: string; readonly port: string | number };
    readonly failureThreshold?: number;
    readonly timeoutSeconds?: number;
  };
}

/** What may be chosen of a ConfigMap or Secret; all of it without `items`. */
interface Selected {
  readonly items?: readonly { readonly key: string; readonly path: string }[];
  readonly optional?: boolean;
}

export interface ConfigMapSource extends Selected {
  readonly name: string;
}

export interface Volume {
  readonly name: string;
  readonly configMap?: ConfigMapSource;
  readonly secret?: Selected & { readonly secretName: string };
  readonly projected?: {
    readonly sources?: readonly { readonly configMap?: ConfigMapSource; readonly secret?: ConfigMapSource }[];
  };
}

/** Where the contents of volumes come from. */
export interface VolumeSources {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

export const FULL_PODS = defineResource<FullPod>({
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
});

export const NODES = defineResource<KubernetesObject>({
  group: '',
  version: 'v1',
  plural: 'nodes',
  kind: 'Node',
  namespaced: false,
});
