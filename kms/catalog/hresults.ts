// SPDX-License-Identifier: Apache-2.0
//
// The result codes that KMS hosts answer and KMS clients come to, with what they mean and what to do
// (docs/protocol.md §1.6, §4, §9; S4). Texts are by language. Not a list of all Windows errors: an unknown code is undefined.

import type { Hresult } from './types.ts';

/** In this order: what a host answers, host key states, what a client concludes, RPC faults as a client sees them. */
export const HRESULTS: readonly Hresult[] = [
  row(0, 'Ok', 'host', {
    meaning: 'The host counted the request and answered with its current count.',
    remedy: 'Nothing to do; if the client is still not activated, compare the count with its threshold.',
  }),
  row(0xc004f042, 'ProductNotServed', 'host', {
    meaning: 'The host has no host key that covers this product.',
    remedy: 'Add a host key of the product’s group and generation, or send the client to a host that has one.',
  }),
  row(0xc004f06c, 'ClockSkew', 'host', {
    meaning: 'The client’s clock differs from the host’s by more than four hours.',
    remedy: 'Synchronise both clocks by NTP or the domain; times are UTC, so the time zone is not the cause.',
  }),
  row(0x8007000d, 'InvalidData', 'host', {
    meaning: 'The request could not be read: malformed, of an unknown version, or not made with this pool’s keys.',
    remedy: 'Use a client of this pool; a genuine client needs a licensed host, which an emulated pool is not.',
  }),
  row(0xc004f041, 'HostNotActivated', 'host', {
    meaning: 'A host key covers the product, but the host is not activated with that key.',
    remedy: 'Activate the host, or look at the host key’s state: it may be blocked or used up.',
  }),
  row(0xc004d104, 'TableExhausted', 'host', {
    meaning: 'The host’s table of clients has grown beyond what it can hold.',
    remedy: 'Find the client that asks for an absurd minimum count, stop it, and set the host up again.',
  }),
  row(0xc004f051, 'HostKeyBlocked', 'host', {
    meaning: 'The host key has been blocked.',
    remedy: 'Install another host key and activate the host with it; ask the licensing contact why it was blocked.',
  }),
  row(0xc004c008, 'HostKeyLimitReached', 'host', {
    meaning: 'The host key has been used as often as it may: six hosts, ten activations on each.',
    remedy: 'Retire a host, or have the limit raised by the Activation Call Centre.',
  }),
  row(0xc004f038, 'CountInsufficient', 'client', {
    meaning: 'The host answered, but its count is below what the product needs.',
    remedy: 'Let more machines with distinct CMIDs contact the same pool: servers and Office need 5, clients 25.',
  }),
  row(0xc004f039, 'NoUsableAnswer', 'client', {
    meaning: 'The client got no usable answer: key management is not enabled where it asked.',
    remedy: 'Check that the host runs, that TCP 1688 is open on the whole path, and that the port is the host’s.',
  }),
  row(0xc004f074, 'NoHostAnswered', 'client', {
    meaning: 'Every host the client knows failed or refused.',
    remedy: 'Read the client’s 12288 events: each names a host that was tried and why it failed; mend those.',
  }),
  row(0x800706ba, 'ConnectFailed', 'client', {
    meaning: 'The client could not connect to the host.',
    remedy: 'Check firewalls for TCP 1688, and whether the SRV record still points to a living host.',
  }),
  row(0x8007232b, 'NoSrvRecord', 'client', {
    meaning: 'DNS has no _vlmcs._tcp SRV record in the domains the client searches.',
    remedy: 'Publish the record in a domain the client searches, or name the host on the client with slmgr /skms.',
  }),
  row(0x8007007b, 'NoDnsDomain', 'client', {
    meaning: 'The client has no DNS domain in which it could look for a host.',
    remedy: 'Give the client a DNS suffix (DHCP option 15 or its domain), or name the host with slmgr /skms.',
  }),
  row(0x800706d1, 'RpcProcedureOutOfRange', 'client', {
    meaning: 'The host does not know the remote procedure that was called.',
    remedy: 'Check that the program on that port is a KMS host and the client a KMS client.',
  }),
  row(0x800706b5, 'RpcUnknownInterface', 'client', {
    meaning: 'The server on that port does not offer the KMS interface.',
    remedy: 'Check host name and port: some other RPC server listens there.',
  }),
  row(0x800706c0, 'RpcProtocolError', 'client', {
    meaning: 'The host met a breach of the RPC protocol and gave the call up.',
    remedy: 'Look for a middlebox that alters the stream; capture the traffic if there is none.',
  }),
  row(0x800706f7, 'RpcBadStubData', 'client', {
    meaning: 'The host could not decode the call’s parameters.',
    remedy: 'Check the client program: the RPC frame is sound, but the data in it is not.',
  }),
  row(0x80070005, 'AccessDenied', 'client', {
    meaning: 'The host denied the call: it was authenticated or too large, and KMS is neither.',
    remedy: 'Call without RPC authentication; for slmgr itself, use an elevated prompt.',
  }),
  row(0x800706bd, 'RpcNoCallActive', 'client', {
    meaning: 'The call was cancelled before it began.',
    remedy: 'Try again; if it repeats, check the client program.',
  }),
  row(0x800706bb, 'RpcServerTooBusy', 'client', {
    meaning: 'The host cannot serve now: it sheds load or has lost its client table.',
    remedy: 'The client goes to the next host by itself; look at the host’s store and connection limits.',
  }),
];

/** RPC fault status (docs/protocol.md §1.6) to the Win32 code that Windows makes of it. */
const WIN32_OF_FAULT: ReadonlyMap<number, number> = new Map([
  [0x1c010002, 1745],
  [0x1c010003, 1717],
  [0x1c01000b, 1728],
  [0x000006f7, 1783],
  [0x00000005, 5],
  [0x000006bd, 1725],
  [0x1c010014, 1723],
]);

const FACILITY_WIN32 = 0x80070000;
const BY_CODE: ReadonlyMap<number, Hresult> = new Map(HRESULTS.map((h) => [h.code, h]));

/** The row of a code, given signed or unsigned, or undefined. */
export function hresult(code: number): Hresult | undefined {
  return BY_CODE.get(code >>> 0);
}

/** `0xC004F042`: eight upper-case hex digits, for signed and unsigned codes alike. */
export function formatHresult(code: number): string {
  return `0x${(code >>> 0).toString(16).toUpperCase().padStart(8, '0')}`;
}

/** The HRESULT in which an RPC fault surfaces at a client (0x8007xxxx), or undefined for a status no host sends. */
export function hresultOfRpcFault(status: number): number | undefined {
  const win32 = WIN32_OF_FAULT.get(status >>> 0);
  return win32 === undefined ? undefined : (FACILITY_WIN32 | win32) >>> 0;
}

function row(code: number, symbol: string, decidedBy: Hresult['decidedBy'], en: Hresult['texts']['en']): Hresult {
  return { code, symbol, decidedBy, texts: { en } };
}
