// SPDX-License-Identifier: Apache-2.0
/**
 * The readiness probe: a real RPC bind on the host's own KMS port. A process whose HTTP answers while its KMS port is dead is not ready. The bind counts nothing.
 */
import { connect } from 'node:net';
import { encodeBind, KMS_INTERFACE, MAX_PDU_BYTES, NDR32, PTYPE } from '@kmspool/kms/wire';

const PROBE_MS = 1_000;

const BIND = encodeBind({
  callId: 1,
  maxXmitFrag: MAX_PDU_BYTES,
  maxRecvFrag: MAX_PDU_BYTES,
  assocGroupId: 0,
  elements: [{ contextId: 0, abstractSyntax: KMS_INTERFACE, transferSyntaxes: [NDR32] }],
});

/** True when `address:port` answers a bind with a bind_ack within a second. */
export function answersBind(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const finish = (answered: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(() => finish(false), PROBE_MS);
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('connect', () => socket.write(BIND));
    socket.on('data', (bytes: Buffer) => finish(bytes.length > 2 && bytes.readUInt8(2) === PTYPE.bindAck));
  });
}

/** Where to reach a listener that listens on `address` from within its own machine. */
export function probeAddress(address: string, family: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  if (address === '::') return family === 'IPv6' ? '::1' : '127.0.0.1';
  return address;
}
