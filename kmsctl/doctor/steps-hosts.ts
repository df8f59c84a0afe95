// SPDX-License-Identifier: Apache-2.0
//
// From the record to the host (S1-20, S1-21, S2-12…S2-14) and the host itself (S1-08…S1-12, S4-31): port, RPC, readiness, clock, key, store. Pure.

import {
  formatHresult,
  HOST_KEY_STATE_INFO,
  hostKey,
  hresult,
  hostOs as osOf,
  productsCoveredBy,
} from '@kmspool/kms/catalog';
import { MAX_CLOCK_SKEW_MS } from '@kmspool/kms/host';
import type { Facts, HostFacts, PoolFacts, ProbeFacts, TargetFacts } from './facts.ts';
import { bad, type Finding, joined, ok, skipped } from './step.ts';

/** S1-20, S2-14: TCP, on the port that the record names. */
export function portStep({ targets, pool }: Facts): Finding {
  const byName = targets.flatMap((target) => target.probes.map((probe) => portFinding(probe, target)));
  if (byName.length > 0) return joined(byName, skipped(''));
  const direct =
    pool?.hosts.flatMap(({ name, probe }) => (probe === undefined ? [] : [portFinding(probe, { host: name })])) ?? [];
  return joined(direct, skipped('no address is known to knock at'));
}

function portFinding({ address, port, outcome, reason }: ProbeFacts, { host }: Pick<TargetFacts, 'host'>): Finding {
  const where = `${host} (${address}) port ${port}`;
  if (outcome === 'silent')
    return bad(
      'fail',
      [`${where}: ${reason}; clients report 0xC004F074`],
      `Test-NetConnection ${address} -Port ${port}   # then the firewalls between, and spec.access.allowedSources`,
    );
  if (outcome === 'refused')
    return bad(
      'fail',
      [`${where}: ${reason}; clients report 0xC004F074`],
      `start a host there, or remove the SRV record of ${host}`,
    );
  return ok(`${where} is open`);
}

/** The interface answers a bind; nobody is counted by it. */
export function rpcStep({ targets, pool }: Facts): Finding {
  const named = targets.flatMap(({ host, probes }) => probes.map((probe) => ({ host, probe })));
  const direct = pool?.hosts.flatMap(({ name, probe }) => (probe === undefined ? [] : [{ host: name, probe }])) ?? [];
  const open = (named.length > 0 ? named : direct).filter(({ probe }) => ['kms', 'notKms'].includes(probe.outcome));
  return joined(
    open.map(({ host, probe: { address, port, outcome, reason } }) =>
      outcome === 'kms'
        ? ok(`${host} (${address}:${port}) accepts an RPC bind of the KMS interface`)
        : bad(
            'fail',
            [
              `${host} (${address}:${port}): ${reason}: something else than a KMS host listens there, or one that is overloaded`,
            ],
            `see what listens on ${address}:${port}`,
          ),
    ),
    skipped('no port is open'),
  );
}

/** S1-21: clients keep the port that the host hands to them. */
export function advertisedStep({ targets }: Facts): Finding {
  const handed = targets.flatMap(({ host, probes }) =>
    probes.flatMap(({ port, advertisedPort }) =>
      advertisedPort === undefined ? [] : [{ host, port, advertisedPort }],
    ),
  );
  const wrong = handed.filter(({ port, advertisedPort }) => port !== advertisedPort);
  const [first] = wrong;
  if (handed.length === 0) return skipped('no host answered a bind at the address of a record');
  if (first === undefined) return ok('every host hands out the port that its record names');
  return bad(
    'warn',
    wrong.map(
      ({ host, port, advertisedPort }) =>
        `${host}: its record says port ${port}, and it hands port ${advertisedPort} to its clients`,
    ),
    `make both the same: the port of ${first.host} in SRV, and spec.port`,
  );
}

/** S2-12, S2-13: by address yes and by name no is a name problem; neither is a network problem. */
export function byAddressStep({ targets, pool }: Facts): Finding {
  const direct = pool?.hosts.flatMap(({ name, probe }) => (probe === undefined ? [] : [{ name, probe }])) ?? [];
  if (direct.length === 0) return skipped('the hosts can only be reached by their names');
  const dead = direct.filter(({ probe }) => probe.outcome !== 'kms');
  const namesWork = targets.some(({ probes }) => probes.some(({ outcome }) => outcome === 'kms'));
  const [first] = dead;
  if (first !== undefined)
    return bad(
      'fail',
      dead.map(({ name, probe }) => `${name} at ${probe.address}:${probe.port}: ${probe.reason}`),
      `slmgr /skms ${first.probe.address}:${first.probe.port}   # fails too: the network or the host, not DNS`,
    );
  if (!namesWork && targets.length > 0)
    return bad(
      'fail',
      ['every host answers at its address and none by the name of its record: name resolution'],
      `slmgr /skms ${direct[0]?.probe.address ?? ''}:${direct[0]?.probe.port ?? ''}   # works meanwhile`,
    );
  return ok(
    `${direct.length === 1 ? 'the host answers' : `all ${direct.length} hosts answer`} at their own addresses, without DNS`,
  );
}

/** S1-12: every host serves. */
export function readyStep({ pool }: Facts): Finding {
  if (pool === undefined) return skipped('only a domain was named');
  return joined(
    pool.hosts.map((host) => readyFinding(host, pool)),
    bad('fail', [`${pool.name} has no host`], 'raise spec.replicas'),
  );
}

function readyFinding({ name, status, reason }: HostFacts, { kind }: PoolFacts): Finding {
  const logs = kind === 'cluster' ? `kubectl logs deploy/${name}` : 'look at what kmsctl up printed';
  if (status === undefined) return bad('fail', [`${name}: ${reason}`], logs);
  if (!status.ready) return bad('fail', [`${name} is not ready: ${status.reasons.join('; ')}`], logs);
  return ok(`${name} is ready, version ${status.version}`);
}

/** S4-31: more than four hours apart and every request is refused. */
export function clockStep({ pool }: Facts): Finding {
  const clocks = pool?.hosts.flatMap(clockReadings) ?? [];
  if (clocks.length === 0) return skipped('no host told the time');
  const far = clocks.filter(({ aheadMs }) => Math.abs(aheadMs) > 60_000);
  const [first] = far;
  if (first === undefined) return ok('the clocks of the hosts, of the store and of this machine agree within a minute');
  const isFatal = far.some(({ aheadMs }) => Math.abs(aheadMs) > MAX_CLOCK_SKEW_MS);
  return bad(
    isFatal ? 'fail' : 'warn',
    far.map(
      ({ what, aheadMs }) =>
        `${what} is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead' : 'behind'}; beyond ${MAX_CLOCK_SKEW_MS / 3_600_000} hours clients get 0xC004F06C`,
    ),
    'w32tm /resync   # on a client; chronyc makestep on a node',
  );
}

function clockReadings({ name, status, clockAheadMs }: HostFacts): { what: string; aheadMs: number }[] {
  const store = status?.clockSkewMilliseconds;
  return [
    ...(clockAheadMs === undefined
      ? []
      : [{ what: `${name}'s clock, against this machine's,`, aheadMs: clockAheadMs }]),
    ...(store === undefined ? [] : [{ what: `the store's clock, against ${name}'s,`, aheadMs: store }]),
  ];
}

/** S1-10…S1-12: the host keys are there and activated. */
export function hostKeyStep({ pool }: Facts): Finding {
  const keys = pool?.hosts.find(({ status }) => status !== undefined)?.status?.hostKeys;
  if (keys === undefined) return skipped('no host told its keys');
  return joined(
    keys.map(({ product, hostOs, state }) => {
      const title = `${hostKey(product)?.title ?? product} on ${osOf(hostOs)?.title ?? hostOs}`;
      if (state === 'Activated') return ok(`${title}: ${state}`);
      const info = HOST_KEY_STATE_INFO.find((each) => each.state === state);
      const code = info === undefined || info.hostCode === 0 ? '' : ` (${formatHresult(info.hostCode)})`;
      return bad(
        'fail',
        [`${title}: ${state}${code}; it serves nobody`],
        'activate the host key: slmgr /ato on a licensed host, spec.hostKeys[].state here',
      );
    }),
    bad('fail', ['there is no host key'], 'add spec.hostKeys'),
  );
}

/** S1-11, S1-23: a request for a product that no key covers is refused with 0xC004F042. */
export function productsStep({ pool }: Facts): Finding {
  const keys = pool?.hosts.find(({ status }) => status !== undefined)?.status?.hostKeys ?? [];
  if (pool === undefined || keys.length === 0) return skipped('no host told its keys');
  const served = productsCoveredBy(keys as Parameters<typeof productsCoveredBy>[0]);
  const covered = [...served.values()].map(({ product }) => product.slug);
  const covers = `the host keys cover ${covered.length} products: ${covered.join(', ')}`;
  const uncovered = pool.refused?.get(NOT_COVERED);
  if (pool.refused === undefined) return ok(covers, `refused requests could not be looked at: ${pool.listingProblem}`);
  if (uncovered === undefined)
    return ok(covers, `none of the last ${pool.eventsRead} requests asked for another product`);
  return bad(
    'warn',
    [
      covers,
      `${uncovered.count} of the last ${pool.eventsRead} requests were for ${uncovered.products.join(', ')}, which no key covers (0xC004F042)`,
    ],
    `kmsctl catalog ${uncovered.products[0]}   # lists the host keys that cover it`,
  );
}

const NOT_COVERED = 0xc004f042;

/** S1-25: what else is refused, by code. */
export function refusedStep({ pool }: Facts): Finding {
  if (pool === undefined) return skipped('only a domain was named');
  if (pool.refused === undefined) return skipped(pool.listingProblem ?? 'the events could not be read');
  const others = [...pool.refused].filter(([code]) => code !== NOT_COVERED);
  const [first] = others;
  if (first === undefined) return ok(`none of the last ${pool.eventsRead} requests was refused for another reason`);
  const evidence = others.map(([code, { count }]) =>
    `${count} × ${formatHresult(code)} ${hresult(code)?.symbol ?? ''}`.trim(),
  );
  return bad(
    'warn',
    evidence,
    `kmsctl explain ${formatHresult(first[0])}; kmsctl events --hresult ${formatHresult(first[0])} names the machines`,
  );
}

/** The one table behind the hosts: reachable, a master, and not one that may forget (S3-11). */
export function storeStep({ pool }: Facts): Finding {
  const stores =
    pool?.hosts.flatMap(({ name, status }) => (status === undefined ? [] : [{ name, store: status.store }])) ?? [];
  return joined(
    stores.map(({ name, store }) => {
      const what = [store.kind, store.version, store.role].filter((each) => each !== undefined).join(', ');
      if (store.state === 'Available') {
        const checked =
          store.kind === 'redis' ? '; a server that may evict keys or is a replica would have been refused' : '';
        return ok(`${name}: ${what}, ${store.state}${checked}`);
      }
      const stale = store.staleSeconds === undefined ? '' : ` for ${Math.round(store.staleSeconds)} s`;
      return bad(
        store.state === 'LastKnown' ? 'warn' : 'fail',
        [`${name}: ${what}, ${store.state}${stale}: ${store.lastError ?? 'no reason given'}`],
        'redis-cli INFO replication; redis-cli CONFIG GET maxmemory-policy   # master, noeviction',
      );
    }),
    skipped('no host told its store'),
  );
}
