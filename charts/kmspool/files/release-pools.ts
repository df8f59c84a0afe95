// SPDX-License-Identifier: Apache-2.0

// After `helm uninstall`: takes the operator's finalizer off every pool, for nobody is left who would do it, and a pool that is deleted later, or its namespace,
// would wait for ever. It changes nothing else: hosts serve on, and what a deleted pool owns is garbage-collected. Runs as it is in the operator's image, whose
// node takes TypeScript; it speaks to the API server with nothing but fetch.
//
//   node release-pools.ts [NAMESPACE…]     none: all namespaces
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const FINALIZER = 'kmspool.io/withdraw-dns';
/** The operator may be on its way out still, and put the finalizer back until it is gone: nothing to do for so many looks in a row. */
const QUIET_LOOKS = 3;
const BETWEEN_LOOKS_MS = 1_000;
const REQUEST_MS = 10_000;

interface Pool {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly resourceVersion: string;
    readonly finalizers?: readonly string[];
  };
}
interface Page {
  readonly items: readonly Pool[];
  readonly metadata: { readonly continue?: string };
}
type Api = (path: string, init?: RequestInit) => Promise<Response>;

/** NODE_EXTRA_CA_CERTS names the certificate authority. */
function inCluster(env: NodeJS.ProcessEnv): Api {
  const folder = env['SERVICE_ACCOUNT_DIR'] ?? '/var/run/secrets/kubernetes.io/serviceaccount';
  const host = env['KUBERNETES_SERVICE_HOST'] ?? 'kubernetes.default.svc';
  const base = `https://${host.includes(':') ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`;
  return (path, init = {}) => {
    const authorization = `Bearer ${readFileSync(`${folder}/token`, 'utf8').trim()}`;
    const headers = { accept: 'application/json', ...init.headers, authorization };
    return fetch(`${base}${path}`, { ...init, headers, signal: AbortSignal.timeout(REQUEST_MS) });
  };
}

async function poolsIn(api: Api, namespace: string): Promise<readonly Pool[]> {
  const scope = namespace === '' ? '' : `/namespaces/${namespace}`;
  const pools: Pool[] = [];
  let next: string | undefined = '';
  do {
    const query = `limit=500${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`;
    const answer = await api(`/apis/kmspool.io/v1alpha1${scope}/kmshostpools?${query}`);
    // The kind is gone, and with it all pools.
    if (answer.status === 404) return [];
    if (!answer.ok) throw new Error(await problem('list pools', answer));
    const page = (await answer.json()) as Page;
    pools.push(...page.items);
    next = page.metadata.continue;
  } while (next);
  return pools;
}

/** False when somebody else changed the pool meanwhile: it is looked at again. */
async function release(api: Api, { metadata }: Pool): Promise<boolean> {
  const { namespace, name, resourceVersion, finalizers = [] } = metadata;
  const patch = { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== FINALIZER) } };
  const answer = await api(`/apis/kmspool.io/v1alpha1/namespaces/${namespace}/kmshostpools/${name}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify(patch),
  });
  if (answer.status === 404 || answer.status === 409) return false;
  if (!answer.ok) throw new Error(await problem(`release ${namespace}/${name}`, answer));
  console.log(`released ${namespace}/${name}: it can be deleted without the operator`);
  return true;
}

async function problem(what: string, answer: Response): Promise<string> {
  return `could not ${what}: ${answer.status} ${(await answer.text()).slice(0, 500)}`;
}

async function main(namespaces: readonly string[], api: Api): Promise<void> {
  for (let quiet = 0; quiet < QUIET_LOOKS; ) {
    const pools = (await Promise.all(namespaces.map((namespace) => poolsIn(api, namespace)))).flat();
    const bound = pools.filter(({ metadata }) => metadata.finalizers?.includes(FINALIZER));
    for (const pool of bound) await release(api, pool);
    quiet = bound.length === 0 ? quiet + 1 : 0;
    if (quiet < QUIET_LOOKS) await delay(BETWEEN_LOOKS_MS);
  }
}

const named = process.argv.slice(2);
try {
  await main(named.length === 0 ? [''] : named, inCluster(process.env));
} catch (error) {
  const { message, cause } = error as Error;
  console.error(cause instanceof Error ? `${message}: ${cause.message}` : message);
  process.exitCode = 1;
}
