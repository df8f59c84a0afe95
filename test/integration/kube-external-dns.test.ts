// SPDX-License-Identifier: Apache-2.0

// What the operator builds on and does not do itself: a DNSEndpoint on a real API server becomes records in a real name server, by a real external-dns. The
// facts of it that the operator relies on are held here, so that a new release that breaks one of them is seen.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DNS_ENDPOINTS, type DnsRecordSet } from '../../operator/pool/kinds.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import {
  type ExternalDns,
  missingDnsPeers,
  type PowerDns,
  startExternalDns,
  startPowerDns,
} from '../harness/kubernetes/dns-peers.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

const ZONE = 'lab.test';

describe('DNSEndpoint to name server', { skip: missingControlPlane() || missingDnsPeers() }, () => {
  let plane: ControlPlane;
  let powerDns: PowerDns;
  let externalDns: ExternalDns;

  before(async () => {
    plane = await startControlPlane({ crds: ['DNSEndpoint'] });
    powerDns = await startPowerDns({ zones: [ZONE, 'branch.test'] });
    externalDns = await startExternalDns({ kubeconfig: plane.kubeconfig, powerDns });
  });
  after(async () => {
    await externalDns?.stop();
    await powerDns?.stop();
    await plane?.stop();
  });

  const write = async (namespace: string, name: string, endpoints: readonly DnsRecordSet[]): Promise<void> => {
    const object = { metadata: { namespace, name }, spec: { endpoints } };
    await plane.client().apply(DNS_ENDPOINTS, object, { fieldManager: 'test' });
  };
  const remove = (namespace: string, name: string) => plane.client().delete(DNS_ENDPOINTS, { namespace, name });
  const shows = (name: string, type: string, wanted: readonly string[]): Promise<void> =>
    powerDns.shows(name, type, wanted).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${externalDns.log()}`);
    });
  const srvName = (pool: string): string => `_vlmcs._tcp.${pool}.${ZONE}`;
  const srv = (dnsName: string, targets: readonly string[], recordTTL = 60): DnsRecordSet => ({
    dnsName,
    recordType: 'SRV',
    recordTTL,
    targets,
  });
  const host = (pool: string, ordinal: number): string => `${pool}-${ordinal}.kms.${ZONE}`;
  const address = (dnsName: string, recordType: 'A' | 'AAAA', target: string): DnsRecordSet => ({
    dnsName,
    recordType,
    recordTTL: 60,
    targets: [target],
  });

  it('SRV, A and AAAA records appear, change and disappear with the object', async () => {
    const namespace = await plane.namespace('dns');
    const name = srvName('campus');
    const [first, second] = [host('campus', 0), host('campus', 1)];
    const addresses = [
      address(first, 'A', '10.96.4.7'),
      address(first, 'AAAA', 'fd00:96::7'),
      address(second, 'A', '10.96.4.8'),
    ];
    await write(namespace, 'campus', [srv(name, [`0 60 1688 ${first}.`, `10 0 1688 ${second}.`]), ...addresses]);
    await shows(name, 'SRV', [`0 60 1688 ${first}.`, `10 0 1688 ${second}.`]);
    await shows(first, 'A', ['10.96.4.7']);
    await shows(first, 'AAAA', ['fd00:96::7']);
    await shows(second, 'A', ['10.96.4.8']);

    await write(namespace, 'campus', [srv(name, [`0 30 1688 ${first}.`]), address(first, 'A', '10.96.4.9')]);
    await shows(name, 'SRV', [`0 30 1688 ${first}.`]);
    await shows(first, 'A', ['10.96.4.9']);
    await shows(first, 'AAAA', []);
    await shows(second, 'A', []);

    await remove(namespace, 'campus');
    await shows(name, 'SRV', []);
    await shows(first, 'A', []);
  });

  it('two objects of one name and one TTL are one record set, and each takes only its own away', async () => {
    const namespace = await plane.namespace('dns');
    const name = srvName('shared');
    const [east, west] = [`0 60 1688 ${host('east', 0)}.`, `0 60 1688 ${host('west', 0)}.`];
    await write(namespace, 'east', [srv(name, [east])]);
    await write(namespace, 'west', [srv(name, [west])]);
    await shows(name, 'SRV', [east, west]);
    await remove(namespace, 'east');
    await shows(name, 'SRV', [west]);
    await remove(namespace, 'west');
    await shows(name, 'SRV', []);
  });

  it('of two objects of one name and different TTLs one is dropped, and reading both proves nothing', async () => {
    const namespace = await plane.namespace('dns');
    const name = srvName('rivals');
    const [short, long] = [`0 60 1688 ${host('short', 0)}.`, `0 60 1688 ${host('long', 0)}.`];
    await write(namespace, 'short', [srv(name, [short], 30)]);
    await shows(name, 'SRV', [short]);
    await write(namespace, 'long', [srv(name, [long], 90)]);
    const isRead = async (): Promise<boolean> => {
      const { metadata, status } = await plane.client().get(DNS_ENDPOINTS, { namespace, name: 'long' });
      return status?.observedGeneration === metadata.generation;
    };
    await waitFor('both to be read', isRead);
    // By when this is there, a whole pass has been made with both.
    await write(namespace, 'later', [address(host('later', 0), 'A', '10.96.4.7')]);
    await shows(host('later', 0), 'A', ['10.96.4.7']);
    assert.equal((await powerDns.dig(name, 'SRV')).length, 1);
    await remove(namespace, 'short');
    await shows(name, 'SRV', [long]);
    for (const each of ['long', 'later']) await remove(namespace, each);
    await shows(name, 'SRV', []);
  });

  it('a target without its dot is dropped, though the object is marked as read', async () => {
    const namespace = await plane.namespace('dns');
    const [undotted, dotted] = [srvName('undotted'), srvName('dotted')];
    await write(namespace, 'undotted', [srv(undotted, [`0 60 1688 ${host('undotted', 0)}`])]);
    await write(namespace, 'dotted', [srv(dotted, [`0 60 1688 ${host('dotted', 0)}.`])]);
    await shows(dotted, 'SRV', [`0 60 1688 ${host('dotted', 0)}.`]);
    const { metadata, status } = await plane.client().get(DNS_ENDPOINTS, { namespace, name: 'undotted' });
    assert.equal(status?.observedGeneration, metadata.generation);
    await shows(undotted, 'SRV', []);
    for (const name of ['undotted', 'dotted']) await remove(namespace, name);
    await shows(dotted, 'SRV', []);
  });

  it('what another hand changed in the zone is put right, and what is not its own is left alone', async () => {
    const namespace = await plane.namespace('dns');
    const name = srvName('drift');
    const foreign = `_vlmcs._tcp.${ZONE}`;
    const wanted = `0 60 1688 ${host('drift', 0)}.`;
    await powerDns.write({ name: foreign, type: 'SRV', contents: [`5 5 1688 kms.${ZONE}.`] });
    await write(namespace, 'drift', [srv(name, [wanted])]);
    await shows(name, 'SRV', [wanted]);
    await powerDns.write({ name, type: 'SRV', contents: [`7 7 1688 kms.${ZONE}.`] });
    await shows(name, 'SRV', [wanted]);
    await remove(namespace, 'drift');
    await shows(name, 'SRV', []);
    assert.deepEqual(await powerDns.dig(foreign, 'SRV'), [`5 5 1688 kms.${ZONE}.`]);
  });

  it('what changed while external-dns stood still is carried over afterwards', async () => {
    const namespace = await plane.namespace('dns');
    const name = `_vlmcs._tcp.branch.test`;
    const wanted = `0 60 1688 ${host('branch', 0)}.`;
    externalDns.freeze();
    await write(namespace, 'branch', [srv(name, [wanted])]);
    assert.deepEqual(await powerDns.dig(name, 'SRV'), []);
    externalDns.thaw();
    await shows(name, 'SRV', [wanted]);
    await remove(namespace, 'branch');
    await shows(name, 'SRV', []);
  });
});
