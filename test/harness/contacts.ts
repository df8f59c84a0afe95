// SPDX-License-Identifier: Apache-2.0
/** Contacts as a host would hand them to its store, without wire or key. */
import { APPLICATIONS } from '@kmspool/kms/catalog';
import { decodeRequestBase, encodeRequestBase, hexToGuid, type ProtocolVersion } from '@kmspool/kms/wire';
import type { CmidStore, Contact } from '../../kms-node/store/store.ts';

export interface ContactFields {
  /** Number of the client; its CMID follows from it. */
  readonly client: number;
  /** Index of APPLICATIONS; 0 = Windows. */
  readonly application?: number;
  /** N; 25 = a Windows client, 5 = a server or Office. */
  readonly required?: number;
  readonly name?: string;
  readonly address?: string;
  readonly hresult?: number;
  readonly licenseStatus?: number;
  readonly virtual?: boolean;
  readonly protocol?: ProtocolVersion;
}

/** The CMID of a client, as 32 hex digits of its wire bytes: greater for a greater number. */
export function cmidHex(client: number): string {
  return client.toString(16).padStart(32, '0');
}

export function contactOf(fields: ContactFields): Contact {
  const application = fields.application ?? 0;
  const protocol = fields.protocol ?? 6;
  const id = APPLICATIONS[application]?.id ?? '00000000-0000-0000-0000-000000000001';
  const bytes = encodeRequestBase({
    protocol,
    applicationId: id,
    activationId: '11111111-0000-0000-0000-000000000000',
    countedId: '22222222-0000-0000-0000-000000000000',
    cmid: hexToGuid(cmidHex(fields.client)),
    requiredClientCount: fields.required ?? 25,
    clientTimeMs: 1_700_000_000_000,
    workstationName: fields.name ?? `pc-${fields.client}`,
    licenseStatus: fields.licenseStatus ?? 2,
    isClientVm: fields.virtual ?? false,
  });
  return {
    application,
    protocol,
    request: decodeRequestBase(bytes),
    hresult: fields.hresult ?? 0,
    address: fields.address ?? '10.0.0.1',
  };
}

/** Records one contact and answers its count; undefined when the store refused. */
export function ask(store: CmidStore, fields: ContactFields): Promise<number | undefined> {
  return new Promise((resolve) => store.record(contactOf(fields), resolve));
}

/** Numbers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** The clients in a table of a snapshot, in ascending order. */
export function clientsOf(store: CmidStore, application = 0): number[] {
  const entries = store.snapshot().tables[application]?.entries.keys() ?? [];
  return [...entries].map((hex) => Number.parseInt(hex, 16)).sort((a, b) => a - b);
}
