// SPDX-License-Identifier: Apache-2.0
/**
 * The presentation syntaxes of the KMS conversation: the interface, NDR32, NDR64 and bind-time feature negotiation
 * (docs/protocol.md §1.1, §9). A syntax is 16 UUID bytes and one u32 version (minor << 16 | major), 20 bytes in all.
 */
import { readU32, writeU32 } from './bytes.ts';
import { guidToHex, hexToGuid } from './guid.ts';

export const SYNTAX_BYTES = 20;

export interface Syntax {
  /** GUID text in lower case, whatever the sender's byte order was. */
  readonly uuid: string;
  readonly version: number;
}

export const KMS_INTERFACE: Syntax = { uuid: '51c82175-844e-4750-b0d8-ec255555bc06', version: 1 };
export const NDR32: Syntax = { uuid: '8a885d04-1ceb-11c9-9fe8-08002b104860', version: 2 };
export const NDR64: Syntax = { uuid: '71710533-beba-4937-8319-b5dbef9ccc36', version: 1 };
export const ZERO_SYNTAX: Syntax = { uuid: '00000000-0000-0000-0000-000000000000', version: 0 };

/** Bind-time feature negotiation: only these first 8 UUID bytes are fixed, the other 8 are the bitmask. */
const BTFN_PREFIX = '6cb71c2c-9812-4540-';

/** A transfer syntax that we can decode a stub in. */
export type TransferSyntax = 'NDR32' | 'NDR64';

/** How clients ask for all the features that a KMS host grants. */
const BTFN_BOTH: Syntax = { uuid: `${BTFN_PREFIX}0300-000000000000`, version: 1 };

const littleEndianHex = ({ uuid, version }: Syntax): string => {
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(version);
  return guidToHex(uuid) + tail.toString('hex');
};

/** The syntaxes that every client sends, by their 20 little-endian bytes: a bind is read without making texts of them. */
const KNOWN: ReadonlyMap<string, Syntax> = new Map(
  [KMS_INTERFACE, NDR32, NDR64, BTFN_BOTH, ZERO_SYNTAX].map((syntax) => [littleEndianHex(syntax), syntax]),
);
const KNOWN_HEX: ReadonlyMap<Syntax, string> = new Map([...KNOWN].map(([hex, syntax]) => [syntax, hex]));

/** RPC-level UUIDs follow the sender's byte order, unlike GUIDs inside the KMS body (docs/protocol.md §1.1). */
function readUuid(bytes: Buffer, offset: number, le: boolean): string {
  if (le) return hexToGuid(bytes.toString('hex', offset, offset + 16));
  const hex = bytes.toString('hex', offset, offset + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Reads 20 bytes; the caller has checked that they are there. */
export function readSyntax(bytes: Buffer, offset: number, le: boolean): Syntax {
  const known = le ? KNOWN.get(bytes.toString('hex', offset, offset + SYNTAX_BYTES)) : undefined;
  return known ?? { uuid: readUuid(bytes, offset, le), version: readU32(bytes, offset + 16, le) };
}

/** Writes 20 bytes in the given order. */
export function writeSyntax(bytes: Buffer, syntax: Syntax, offset: number, le: boolean): void {
  const known = le ? KNOWN_HEX.get(syntax) : undefined;
  if (known !== undefined) {
    bytes.write(known, offset, 'hex');
    return;
  }
  bytes.write(le ? guidToHex(syntax.uuid) : syntax.uuid.replaceAll('-', ''), offset, 'hex');
  writeU32(bytes, syntax.version, offset + 16, le);
}

export function sameSyntax(a: Syntax, b: Syntax): boolean {
  return a === b || (a.version === b.version && a.uuid === b.uuid);
}

/** Which decodable transfer syntax this is, if it is one. */
export function transferSyntaxOf(syntax: Syntax): TransferSyntax | undefined {
  if (sameSyntax(syntax, NDR64)) return 'NDR64';
  if (sameSyntax(syntax, NDR32)) return 'NDR32';
  return undefined;
}

/** The feature bits asked for, or undefined if this is not a feature request. The low 16 bits of the mask count. */
export function btfnMask(syntax: Syntax): number | undefined {
  if (!syntax.uuid.startsWith(BTFN_PREFIX)) return undefined;
  // The mask's 8 bytes are as written in either order (docs/protocol.md §9), so the text keeps their order.
  return Number.parseInt(syntax.uuid.slice(21, 23) + syntax.uuid.slice(19, 21), 16);
}

/** The transfer syntax by which a client asks for the feature bits in `mask` (0…0xFFFF). */
export function btfnSyntax(mask: number): Syntax {
  const low = (mask & 0xff).toString(16).padStart(2, '0');
  const high = ((mask >> 8) & 0xff).toString(16).padStart(2, '0');
  return { uuid: `${BTFN_PREFIX}${low}${high}-000000000000`, version: 1 };
}
