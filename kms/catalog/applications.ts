// SPDX-License-Identifier: Apache-2.0
//
// The three KMS applications. Their IDs are public and stand in the clear in every V4 request (docs/protocol.md §4);
// they are the only identifiers of Microsoft's in the catalogue.

import { guidToHex } from '../wire/guid.ts';
import type { Application, ApplicationName, Threshold } from './types.ts';

const WINDOWS_THRESHOLDS: readonly Threshold[] = [
  { name: 'Server', required: 5 },
  { name: 'Client', required: 25 },
];
const OFFICE_THRESHOLDS: readonly Threshold[] = [{ name: 'Office', required: 5 }];

/** All applications; the index is stable: 0 Windows, 1 Office 2010, 2 Office 2013 and later. */
export const APPLICATIONS: readonly Application[] = [
  row(0, 'Windows', 'Windows', { id: '55c92734-d682-4d71-983e-d6ec3f16059f', thresholds: WINDOWS_THRESHOLDS }),
  row(1, 'Office2010', 'Office 2010', { id: '59a52881-a989-479d-af46-f275c6370663', thresholds: OFFICE_THRESHOLDS }),
  row(2, 'Office2013', 'Office 2013 and later', {
    id: '0ff1ce15-a989-479d-af46-f275c6370663',
    thresholds: OFFICE_THRESHOLDS,
  }),
];

const BY_NAME: ReadonlyMap<string, Application> = new Map(APPLICATIONS.map((a) => [a.name, a]));
const BY_ID_HEX: ReadonlyMap<string, Application> = new Map(APPLICATIONS.map((a) => [a.idHex, a]));

/** The application of that name. */
export function application(name: ApplicationName): Application {
  const found = BY_NAME.get(name);
  if (found === undefined) throw new RangeError(`no application named ${JSON.stringify(name)}`);
  return found;
}

/** The application whose ID has these wire bytes (32 lower-case hex digits), or undefined. */
export function applicationByIdHex(idHex: string): Application | undefined {
  return BY_ID_HEX.get(idHex);
}

function row(
  index: number,
  name: ApplicationName,
  title: string,
  rest: { readonly id: string; readonly thresholds: readonly Threshold[] },
): Application {
  return { index, name, title, id: rest.id, idHex: guidToHex(rest.id), thresholds: rest.thresholds };
}
