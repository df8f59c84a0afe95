// SPDX-License-Identifier: Apache-2.0

// From what exists of a host to a judgement: is it ready, since when, at which address, does it run what is wanted? Pure. It decides nothing.
import { ANNOTATIONS, type HostConfig, hostConfigFor, hostConfigHash } from '@kmspool/crds';
import { hostFqdn } from '@kmspool/kms/dns';
import { isControlledBy, type KubernetesObject } from '../runtime/index.ts';
import { buildDeployment, sameTemplate, templateHash } from './build/deployment.ts';
import type { Deployment, Pod, Service } from './kinds.ts';
import type { HostView, PollTarget, TemplateState } from './state.ts';
import type { HostObjects, HostReport, World } from './world.ts';

/** A host with what its objects should be. */
export interface JudgedHost extends HostView {
  readonly objects: HostObjects;
  readonly desired: DesiredHost;
  /** The Pod that the poller asks: the newest that is ready, else the newest with an address. */
  readonly pod: Pod | undefined;
  /** Not ready, and nobody knows yet whether for its store: until then it is to be asked, ms since 1970. 0: it is known; Infinity: it was never asked. */
  readonly askedUntilMs: number;
}

type Wanted = { readonly ordinal: number; readonly poolId: string; readonly nodePort: number | undefined };

/** What a host should be; made only when somebody asks, for mostly nothing has changed. */
export class DesiredHost {
  /** What all of it follows from besides the pool's spec, for {@link World.findings}. */
  readonly what: string;
  /** hostConfigHash of {@link config}. */
  readonly configHash: string;
  readonly #world: World;
  readonly #wanted: Wanted;
  #deployment: Deployment | undefined;

  constructor(world: World, wanted: Wanted) {
    this.#world = world;
    this.#wanted = wanted;
    this.what = `${wanted.ordinal}/${wanted.poolId}/${wanted.nodePort ?? ''}`;
    const hash = (): string => hostConfigHash(this.config());
    this.configHash = world.findings?.text(`config/${this.what}`, hash) ?? hash();
  }

  /** Clients of a NodePort come to another port than the one listened on (S1-21). */
  config(): HostConfig {
    const { ordinal, poolId, nodePort } = this.#wanted;
    const overrides = nodePort === undefined ? {} : { overrides: { advertisedPort: nodePort } };
    return hostConfigFor({ pool: this.#world.pool, ordinal, poolId, ...overrides });
  }

  deployment(): Deployment {
    const { pool, object: owner, settings } = this.#world;
    const { ordinal } = this.#wanted;
    this.#deployment ??= buildDeployment({ pool, owner, settings, ordinal, config: this.config() });
    return this.#deployment;
  }
}

/** Judges every host of the world. `poolId` is known by now. */
export function judgeHosts(world: World, poolId: string): readonly JudgedHost[] {
  return world.hosts.map((objects) => judgeHost(world, objects, poolId));
}

/** An object that this pool controls; one that only has the name is as good as absent. */
export function ownOf<T extends KubernetesObject>(world: World, object: T | undefined): T | undefined {
  return object !== undefined && isControlledBy(object, world.object) ? object : undefined;
}

function judgeHost(world: World, objects: HostObjects, poolId: string): JudgedHost {
  const { pool } = world;
  const service = ownOf(world, objects.service);
  const live = ownOf(world, objects.deployment);
  const nodePort = pool.spec.exposure.type === 'NodePort' ? service?.spec?.ports?.[0]?.nodePort : undefined;
  const desired = new DesiredHost(world, { ordinal: objects.ordinal, poolId, nodePort });
  const readyPods = objects.pods.filter(isReady);
  const ready = readyPods.length > 0;
  const report = reportOf(objects);
  const fqdn = fqdnOf(world, objects.ordinal);
  const base = {
    ordinal: objects.ordinal,
    name: objects.name,
    fqdn,
    wanted: objects.ordinal < pool.spec.replicas,
    ready,
    sinceMs: ready ? readySince(readyPods) : unreadySince(live, objects.pods),
    configCurrent: runsConfig({ report, pod: readyPods[0], desired }),
    template: templateState(world, { live, desired, pods: objects.pods }),
    ...whereabouts(world, { service, readyPods, pods: objects.pods, fqdn }),
    storeLost: !ready && report?.answer !== undefined && report.answer.storeState !== 'Available',
    withdrawnAtMs: timeOf(live?.metadata.annotations?.[ANNOTATIONS.withdrawnAt]),
    version: report?.answer?.version,
    objects,
    desired,
    pod: readyPods[0] ?? objects.pods.find(({ status, metadata }) => status?.podIP && !metadata.deletionTimestamp),
  };
  return {
    ...base,
    askedUntilMs: askedUntil(base, report),
    trouble: troubleOf(base, { report, missingSecret: world.missingSecret }),
  };
}

function fqdnOf({ pool }: World, ordinal: number): string | undefined {
  const [first] = pool.spec.dns.domains;
  const { name, namespace = 'default' } = pool.metadata;
  return first === undefined ? undefined : hostFqdn(name, ordinal, namespace, first.name);
}

type Running = {
  readonly report: HostReport | undefined;
  readonly pod: Pod | undefined;
  readonly desired: DesiredHost;
};

/** The Pod that serves says itself that it runs this configuration. */
function runsConfig({ report, pod, desired }: Running): boolean {
  return (
    report?.answer !== undefined &&
    report.podUid === pod?.metadata.uid &&
    report.answer.configHash === desired.configHash
  );
}

/** Whether a Pod serves: Ready, and nobody has asked it to go. */
export function isReady(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status === 'True';
}

function conditionOf(object: Pod | Deployment | undefined, type: string) {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

/** The report, if it is of a Pod that is still there. */
function reportOf({ report, pods }: HostObjects): HostReport | undefined {
  return pods.some(({ metadata }) => metadata.uid === report?.podUid) ? report : undefined;
}

type Templates = {
  readonly live: Deployment | undefined;
  readonly desired: DesiredHost;
  readonly pods: readonly Pod[];
};

function templateState({ findings }: World, { live, desired, pods }: Templates): TemplateState {
  if (live === undefined) return 'Missing';
  const what = `template/${desired.what}`;
  if (findings?.isAsWanted(what, live) !== true) {
    if (!sameTemplate(live, desired.deployment())) return 'Outdated';
    findings?.noteAsWanted(what, live);
  }
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = live.status ?? {};
  if (observedGeneration < (live.metadata.generation ?? 0)) return runsOnly(pods, live) ? 'Current' : 'Updating';
  return replicas === 1 && updatedReplicas === 1 ? 'Current' : 'Updating';
}

/** Any annotation, also somebody else's, makes a new generation of a Deployment: while its controller has not seen that one yet, the Pod itself tells. */
function runsOnly(pods: readonly Pod[], deployment: Deployment): boolean {
  const [pod, ...others] = pods;
  if (pod === undefined || others.length > 0 || !isReady(pod)) return false;
  return pod.metadata.annotations?.[ANNOTATIONS.templateHash] === templateHash(deployment);
}

/** A host that is not ready and has not said why is given so long, while it is asked every second. */
const ASKING_MS = 15_000;
/** Kubernetes tells times in whole seconds. */
const ROUNDING_MS = 1_000;

function askedUntil(
  { ready, pod, sinceMs = 0 }: Pick<JudgedHost, 'ready' | 'pod' | 'sinceMs'>,
  report: HostReport | undefined,
): number {
  if (ready || pod === undefined) return 0;
  if (report === undefined) return Number.POSITIVE_INFINITY;
  // Its last words were that all is well: they may be older than the trouble.
  const outdated = report.answer?.ready === true && report.atMs < sinceMs + ROUNDING_MS;
  return outdated ? sinceMs + ASKING_MS : 0;
}

function readySince(readyPods: readonly Pod[]): number | undefined {
  const times = readyPods.flatMap((pod) => timeOf(conditionOf(pod, 'Ready')?.lastTransitionTime) ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

// The Deployment remembers when its last ready Pod was lost, even when a new Pod has begun since; a Pod only knows of itself.
function unreadySince(live: Deployment | undefined, pods: readonly Pod[]): number | undefined {
  const available = conditionOf(live, 'Available');
  if (available?.status === 'False') return timeOf(available.lastTransitionTime);
  const pod = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  return timeOf(conditionOf(pod, 'Ready')?.lastTransitionTime);
}

function timeOf(text: string | undefined): number | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

type Sources = {
  readonly service: Service | undefined;
  readonly readyPods: readonly Pod[];
  readonly pods: readonly Pod[];
  readonly fqdn: string | undefined;
};

/** Where clients find the host now: by the Service that stands, for type and port of the spec come to a host when it is its turn, and not before. */
function whereabouts(world: World, sources: Sources): Pick<HostView, 'addresses' | 'target' | 'port'> {
  const { exposure, port } = world.pool.spec;
  const { service, readyPods, pods, fqdn: target } = sources;
  const { port: servicePort = port, nodePort } = service?.spec?.ports?.[0] ?? {};
  switch (service?.spec?.type ?? exposure.type) {
    case 'PodIP':
      return {
        addresses: ipsOf(readyPods[0]?.status?.podIPs, readyPods[0]?.status?.podIP),
        target,
        port: (readyPods[0] ?? pods[0])?.kmsPort ?? port,
      };
    case 'NodePort':
      // A node's address, without a role for reading nodes: the Pod says on which one it runs.
      return nodePort === undefined
        ? { addresses: [], target, port }
        : { addresses: ipsOf(readyPods[0]?.status?.hostIPs, readyPods[0]?.status?.hostIP), target, port: nodePort };
    case 'LoadBalancer': {
      const ingress = service?.status?.loadBalancer?.ingress ?? [];
      const hostname = ingress.find((entry) => entry.hostname)?.hostname;
      return { addresses: ingress.flatMap(({ ip }) => ip ?? []), target: hostname ?? target, port: servicePort };
    }
    default: {
      const { clusterIPs, clusterIP } = service?.spec ?? {};
      const ips = clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP]);
      return { addresses: ips.filter((ip) => ip !== 'None' && ip !== ''), target, port: servicePort };
    }
  }
}

function ipsOf(list: readonly { readonly ip: string }[] | undefined, single: string | undefined): string[] {
  return list?.map(({ ip }) => ip) ?? (single === undefined ? [] : [single]);
}

type Judged = Pick<JudgedHost, 'ready' | 'template' | 'configCurrent' | 'name' | 'objects'>;

type Hints = { readonly report: HostReport | undefined; readonly missingSecret: string | undefined };

/** Why a host is not as wanted, the nearest cause first. Stable: no times and no counts. */
function troubleOf(
  { ready, template, configCurrent, objects, name }: Judged,
  { report, missingSecret }: Hints,
): string | undefined {
  if (!ready) return `${name}: ${unreadyReason(objects, { report, missingSecret })}`;
  if (template === 'Outdated') return `${name} waits for its turn to be replaced`;
  if (template === 'Updating') return `${name} is being replaced`;
  if (configCurrent) return undefined;
  if (report === undefined) return `${name} has not been asked yet`;
  if (report.answer === undefined) return `${name} does not answer the operator: ${report.error ?? 'no answer'}`;
  return `${name} still runs an older configuration`;
}

function unreadyReason({ pods, deployment }: HostObjects, { report, missingSecret }: Hints): string {
  const pod = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (deployment === undefined) return 'not made yet';
  if (pod === undefined) return 'has no Pod yet';
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False') return `its Pod cannot be placed: ${oneLine(scheduled.message ?? 'no node')}`;
  const container = pod.status?.containerStatuses?.find((status) => status.name === 'host');
  const waiting = container?.state?.waiting;
  const ended = container?.lastState?.terminated;
  if (waiting?.reason === 'CrashLoopBackOff')
    return `its Pod ends again and again (exit code ${ended?.exitCode ?? '?'})${tail(ended?.message)}; see kubectl logs ${pod.metadata.name}`;
  if (waiting?.reason !== undefined && waiting.reason !== 'ContainerCreating')
    return `its Pod does not start: ${waiting.reason}${tail(waiting.message)}`;
  if (missingSecret !== undefined && (waiting !== undefined || pod.status?.podIP === undefined))
    return `its Pod waits for Secret ${missingSecret}, which spec.store.redis.credentialsSecretRef names and which is not there`;
  const said = report?.answer?.reasons ?? [];
  return said.length > 0 ? `not ready: ${said.join('; ')}` : 'its Pod is not ready';
}

function tail(message: string | undefined): string {
  return message === undefined || message === '' ? '' : `: ${oneLine(message)}`;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

/** Whom the poller asks. A host without an address yet is left out. */
export function pollTargets(hosts: readonly JudgedHost[], namespace: string): PollTarget[] {
  return hosts.flatMap(({ name, pod, desired, ready }) => {
    const address = pod?.status?.podIP;
    if (pod?.metadata.uid === undefined || address === undefined) return [];
    const { uid: podUid, name: podName } = pod.metadata;
    return [{ name, namespace, podName, podUid, address, wantedConfigHash: desired.configHash, ready }];
  });
}
