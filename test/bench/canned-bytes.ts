// SPDX-License-Identifier: Apache-2.0
//
// The fixed answers of the canned server, laid out as docs/protocol.md §1.3, §1.6 and §2.2 say, of exactly the size that a
// KMS host's answers have with NDR32 and a PID of 98 bytes. Their bodies are zeros: nothing in them is computed.

/** Bytes of a V4 request PDU in NDR32; a V6 request has 292. */
export const V4_REQUEST_BYTES = 284;

/** Bytes of a successful response PDU in NDR32, by protocol. */
export const RESPONSE_BYTES = { 4: 200, 6: 300 } as const;

/** bind_ack for one element: port "1688", result 0/0, NDR32; 60 bytes. */
export const CANNED_BIND_ACK = Buffer.from(
  `05000c03100000003c00000002000000d016d016010001000500313638380000` +
    `0100000000000000045d888aeb1cc9119fe808002b10486002000000`,
  'hex',
);

export const CANNED_V4_RESPONSE = cannedResponse(RESPONSE_BYTES[4], 158);
export const CANNED_V6_RESPONSE = cannedResponse(RESPONSE_BYTES[6], 260);

function cannedResponse(pduBytes: number, bodyBytes: number): Buffer {
  const pdu = Buffer.alloc(pduBytes);
  pdu.set([5, 0, 2, 3, 0x10]);
  pdu.writeUInt16LE(pduBytes, 8);
  pdu.writeUInt32LE(2, 12); // call_id
  pdu.writeUInt32LE(pduBytes - 24, 16); // alloc_hint
  pdu.writeUInt32LE(bodyBytes, 24);
  pdu.writeUInt32LE(0x20000, 28); // referent id
  pdu.writeUInt32LE(bodyBytes, 32);
  return pdu; // pad and return value are zero
}
