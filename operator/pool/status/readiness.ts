// SPDX-License-Identifier: Apache-2.0

// Ready, Reconciling and Stalled, by the rules of kstatus: `kubectl wait`, Flux and Argo CD read these three. Pure.
//
//   Stalled      somebody has to change something before the operator goes on; never together with Reconciling
//   Reconciling  the operator is changing something, or waits for what it has changed
//   Ready        clients are served by all hosts wanted, as this generation wants it. A host too many that leaves, and records on their way through DNS, do not
//                end it: then Ready and Reconciling are both True, and kstatus says InProgress.
import type { Reason } from '@kmspool/crds';
import type { Clash, HostView } from '../state.ts';
import type { DomainView } from './dns.ts';
import { isFullyReady, shownHosts } from './hosts.ts';
import { isDeleting, type PoolJudgement, type StatusInput, testimonies } from './input.ts';
import { joined, sentence } from './text.ts';

/** What else a pool's readiness depends on. */
export interface Surroundings {
  readonly store: PoolJudgement;
  readonly publication: PoolJudgement;
  readonly domains: readonly DomainView[];
}

/** The three conditions of kstatus. */
export function judgeReadiness(input: StatusInput, surroundings: Surroundings): PoolJudgement[] {
  const obstacle = isDeleting(input) ? undefined : obstacleOf(input);
  return [readyOf(input, surroundings, obstacle), reconcilingOf(input, surroundings, obstacle), stalledOf(obstacle)];
}

/** A reason and its words. */
export interface Cause {
  readonly reason: Reason;
  readonly message: string;
}

function stalledOf(obstacle: Cause | undefined): PoolJudgement {
  if (obstacle === undefined)
    return { type: 'Stalled', status: 'False', reason: 'NotStalled', message: 'Nothing stands in the way.' };
  return { type: 'Stalled', status: 'True', ...obstacle };
}

/** What stops the operator until somebody does something. */
function obstacleOf({ conclusions: { identity, clashes, refusals } }: StatusInput): Cause | undefined {
  if (identity.kind === 'refused') return { reason: identity.reason, message: sentence(identity.message) };
  if (clashes.length > 0)
    return { reason: 'NameTaken', message: sentence(joined([...new Set(clashes.map(clashText))], 3)) };
  const [first] = refusals;
  if (first === undefined) return undefined;
  const messages = refusals.filter(({ reason }) => reason === first.reason).map(({ message }) => message);
  const remedy =
    first.reason === 'Forbidden' ? "Check the operator's roles and the quotas of the namespace." : 'Correct the spec.';
  return { reason: first.reason, message: `${sentence(joined([...new Set(messages)], 3))} ${remedy}` };
}

function clashText({ resource, ref }: Clash): string {
  const name = `${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`;
  if (resource.kind === 'Secret')
    return `Secret ${name} is there and has no data.token of 16 characters or more; put one there, or delete the Secret and the operator makes it`;
  return `${resource.kind} ${name} exists and does not belong to this pool; delete or rename it, or give the pool another name`;
}

function reconcilingOf(input: StatusInput, surroundings: Surroundings, obstacle: Cause | undefined): PoolJudgement {
  const type = 'Reconciling';
  if (obstacle !== undefined)
    return { type, status: 'False', reason: obstacle.reason, message: 'The operator cannot go on, see Stalled.' };
  const work = workOf(input, surroundings);
  if (work !== undefined) return { type, status: 'True', ...work };
  return { type, status: 'False', reason: 'Settled', message: 'The operator has nothing left to change.' };
}

const ROLLOUT_REASONS = {
  Starting: 'Progressing',
  Waiting: 'Progressing',
  RollingOut: 'RollingOut',
  ScalingDown: 'ScalingDown',
  ConfigStale: 'ConfigStale',
  Deleting: 'Deleting',
} as const satisfies Record<string, Reason>;

/** What is being done or waited for. */
function workOf(input: StatusInput, { publication, domains }: Surroundings): Cause | undefined {
  const { identity, rollout } = input.conclusions;
  if (isDeleting(input))
    return { reason: 'Deleting', message: sentence(rollout.message) || 'The pool is being deleted.' };
  if (identity.kind === 'toMake') return { reason: 'Progressing', message: sentence(rollout.message) || KEY_COMES };
  if (rollout.kind !== 'Settled' && !isBelieved(input))
    return { reason: ROLLOUT_REASONS[rollout.kind], message: sentence(rollout.message) || WORDLESS[rollout.kind] };
  // A server that does not answer is nobody's work here: waiting for it would have no end.
  if (publication.reason === 'Propagating' || publication.reason === 'NotVerified')
    return { reason: publication.reason, message: publication.message };
  const moving = domains.find(({ entry }) => entry.reason === 'Propagating');
  return moving === undefined
    ? undefined
    : { reason: 'Propagating', message: sentence(`${moving.state.domain}: ${moving.entry.message ?? 'Propagating'}`) };
}

/** Whether all that is waited for is to be told by hosts what was known of them before the operator started. */
function isBelieved(input: StatusInput): boolean {
  const { rollout, hosts } = input.conclusions;
  const stale = (list: readonly HostView[]) => list.some(({ wanted, configCurrent }) => wanted && !configCurrent);
  return rollout.kind === 'ConfigStale' && stale(hosts) && !stale(shownHosts(input));
}

const KEY_COMES = 'The key of the pool is being made.';

const WORDLESS = {
  Starting: 'Hosts are starting.',
  Waiting: 'Hosts are not ready.',
  RollingOut: 'Hosts are being replaced, one at a time.',
  ScalingDown: 'Hosts are leaving DNS before they stop.',
  ConfigStale: 'Hosts are taking over a new configuration.',
  Deleting: 'The pool is being deleted.',
} as const;

function readyOf(input: StatusInput, surroundings: Surroundings, obstacle: Cause | undefined): PoolJudgement {
  const cause = obstacle ?? unreadyCause(input, surroundings);
  if (cause !== undefined) return { type: 'Ready', status: 'False', ...cause };
  const { replicas } = input.world.pool.spec;
  const message = replicas === 1 ? 'The host is ready.' : `All ${replicas} hosts are ready.`;
  return { type: 'Ready', status: 'True', reason: 'AllHostsReady', message };
}

/** Why clients are not served as they should be, the nearest cause first. */
function unreadyCause(input: StatusInput, { store, publication }: Surroundings): Cause | undefined {
  const { identity, rollout } = input.conclusions;
  if (isDeleting(input)) return { reason: 'Deleting', message: 'The pool is being deleted.' };
  // On purpose or not: a pool without hosts serves nobody. Nothing is being done and nothing stands in the way, so neither Reconciling nor Stalled is True.
  if (input.world.pool.spec.replicas === 0) return { reason: 'NoHosts', message: NO_HOSTS };
  if (identity.kind !== 'known') return { reason: 'Progressing', message: sentence(rollout.message) || KEY_COMES };
  const hosts = hostsCause(input, store);
  if (hosts !== undefined) return hosts;
  if (store.status !== 'True') return { reason: store.reason, message: store.message };
  return publication.status === 'False' ? { reason: publication.reason, message: publication.message } : undefined;
}

const NO_HOSTS = 'spec.replicas is 0: nobody is served. Raise it to have hosts.';

function hostsCause(input: StatusInput, store: PoolJudgement): Cause | undefined {
  const { replicas } = input.world.pool.spec;
  const wanted = shownHosts(input).filter((host) => host.wanted);
  const troubled = wanted.filter((host) => !isFullyReady(host));
  if (troubled.length === 0 && wanted.length >= replicas) return undefined;
  const silent = new Set(testimonies(input).flatMap(({ kind, host }) => (kind === 'silent' ? [host.name] : [])));
  const reasons = troubled.map((host) => reasonOf(host, silent));
  // Where only the store is missing, that is what to look at.
  const onlyStore = troubled.length > 0 && troubled.every(({ ready, storeLost }) => !ready && storeLost);
  if (onlyStore && store.status === 'False') return { reason: store.reason, message: store.message };
  const reason = HOST_REASONS.find((one) => reasons.includes(one)) ?? 'HostsNotReady';
  const details = joined(troubled.map(({ trouble, name }) => trouble ?? `${name} is not ready`));
  const ready = wanted.length - troubled.length;
  return {
    reason,
    message: `${ready} of ${replicas} hosts are ready: ${sentence(details || 'the others do not exist yet')}`,
  };
}

/** The most pressing first. */
const HOST_REASONS: readonly Reason[] = ['HostsNotReady', 'HostUnreachable', 'RollingOut', 'ConfigStale'];

function reasonOf({ ready, template, name }: HostView, silent: ReadonlySet<string>): Reason {
  if (!ready) return 'HostsNotReady';
  if (template !== 'Current') return 'RollingOut';
  return silent.has(name) ? 'HostUnreachable' : 'ConfigStale';
}
