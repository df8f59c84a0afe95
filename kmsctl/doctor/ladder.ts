// SPDX-License-Identifier: Apache-2.0
//
// The ladder: every step in the order of the documents (S2-04), from the simple to the complex: name servers, records, port, host, count, cluster. Pure.

import type { Facts } from './facts.ts';
import type { Finding, Step } from './step.ts';
import {
  allowedSourcesStep,
  conditionsStep,
  externalDnsStep,
  networkPolicyStep,
  servicesStep,
} from './steps-cluster.ts';
import { duplicatesStep, oneCountStep, thresholdsStep } from './steps-count.ts';
import {
  agreeStep,
  foreignStep,
  missingStep,
  recordsStep,
  resolversStep,
  suffixStep,
  targetsStep,
  typoStep,
} from './steps-dns.ts';
import {
  advertisedStep,
  byAddressStep,
  clockStep,
  hostKeyStep,
  portStep,
  productsStep,
  readyStep,
  refusedStep,
  rpcStep,
  storeStep,
} from './steps-hosts.ts';

interface Rung {
  readonly id: string;
  readonly title: string;
  readonly judge: (facts: Facts) => Finding;
}

export const LADDER: readonly Rung[] = [
  { id: 'name-servers', title: 'Name servers answer', judge: resolversStep },
  { id: 'client-suffix', title: 'The client looks in the right domain', judge: suffixStep },
  { id: 'srv-records', title: 'SRV records are there', judge: recordsStep },
  { id: 'srv-name', title: 'They are spelt right', judge: typoStep },
  { id: 'srv-agreement', title: 'Every name server says the same', judge: agreeStep },
  { id: 'srv-targets', title: 'Their targets have addresses', judge: targetsStep },
  { id: 'srv-foreign', title: 'Their targets are hosts of the pool', judge: foreignStep },
  { id: 'srv-missing', title: 'Every host is named', judge: missingStep },
  { id: 'port', title: 'The port is open', judge: portStep },
  { id: 'rpc', title: 'KMS answers an RPC bind (it counts nobody)', judge: rpcStep },
  { id: 'advertised-port', title: 'Hosts hand out the same port', judge: advertisedStep },
  { id: 'by-address', title: 'Hosts answer without DNS', judge: byAddressStep },
  { id: 'hosts-ready', title: 'Hosts are ready', judge: readyStep },
  { id: 'clocks', title: 'Clocks agree', judge: clockStep },
  { id: 'host-keys', title: 'Host keys are activated', judge: hostKeyStep },
  { id: 'products', title: 'Host keys cover what is asked for', judge: productsStep },
  { id: 'thresholds', title: 'The count reaches the thresholds', judge: thresholdsStep },
  { id: 'duplicates', title: 'No machines share an ID', judge: duplicatesStep },
  { id: 'one-count', title: 'All hosts share one count', judge: oneCountStep },
  { id: 'refused', title: 'Nothing else is refused', judge: refusedStep },
  { id: 'store', title: 'The store is fit', judge: storeStep },
  { id: 'conditions', title: 'The operator is content', judge: conditionsStep },
  { id: 'external-dns', title: 'external-dns publishes SRV records', judge: externalDnsStep },
  { id: 'services', title: 'Services have addresses', judge: servicesStep },
  { id: 'network-policy', title: 'NetworkPolicies let clients in', judge: networkPolicyStep },
  { id: 'allowed-sources', title: 'Clients are allowed sources', judge: allowedSourcesStep },
];

/** Climbs all of it; a rung that cannot be judged is skipped with its reason. */
export function climb(facts: Facts, only?: readonly string[]): Step[] {
  return LADDER.filter(({ id }) => only?.includes(id) ?? true).map(({ id, title, judge }) => ({
    id,
    title,
    ...judge(facts),
  }));
}
