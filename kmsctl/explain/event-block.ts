// SPDX-License-Identifier: Apache-2.0
//
// Reads event records of volume activation as they are copied from the event viewer, from Get-WinEvent or from its XML
// (S1-27…S1-32, S1-40…S1-45), in English and Korean. The comma-separated text after "Info:" carries the fields; where the
// number is missing, its shape says which event it is.

import { eventById } from '@kmspool/kms/catalog';
import type { EventFinding } from './types.ts';

const ID = /(?:event ?id|이벤트 ID|^\s*Id)\s*[:=]\s*(\d{5})\b|<EventID[^>]*>(\d{5})<\/EventID>/gim;
const CMID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** Hex or decimal code, then at least one more value. */
const CSV = /^\W*((?:0x[0-9a-f]{1,8}|-?\d{1,10})\s*,.*)$/i;
const MOST = 200;

const SHAPES: readonly (readonly [id: number, shape: RegExp])[] = [
  [12288, new RegExp(`^0x[0-9a-f]+,0x[0-9a-f]+,[^,]*:\\d+,${CMID},`, 'i')],
  [12290, new RegExp(`^0x[0-9a-f]+,\\d+,[^,]+,${CMID},`, 'i')],
  [12289, /^0x[0-9a-f]+,0x[0-9a-f]+,[01],\d+,\d+,\d+,\d+,/i],
];

/** The events of the text in their order; empty if there are none. */
export function parseEvents(text: string): EventFinding[] {
  const marks = [...text.matchAll(ID)].filter((mark) => eventById(Number(mark[1] ?? mark[2])) !== undefined);
  if (marks.length === 0) return bareRecords(text);
  return marks.slice(0, MOST).map((mark, at) => {
    const id = Number(mark[1] ?? mark[2]);
    return { kind: 'event', id, values: valuesOf(id, text.slice(mark.index, marks[at + 1]?.index)) };
  });
}

function bareRecords(text: string): EventFinding[] {
  return text
    .split(/\r?\n/)
    .flatMap((line): EventFinding[] => {
      const csv = cells(line)?.join(',');
      const id = csv === undefined ? undefined : SHAPES.find(([, shape]) => shape.test(csv))?.[0];
      return id === undefined ? [] : [{ kind: 'event', id, values: valuesOf(id, line) }];
    })
    .slice(0, MOST);
}

function valuesOf(id: number, block: string): Record<string, string> {
  if (id === 12293 || id === 12294) return publishingValues(block);
  const fields = eventById(id)?.fields ?? [];
  const values = dataOf(block) ?? infoOf(block, fields.length) ?? [];
  return Object.fromEntries(fields.flatMap(({ name }, at) => (values[at] === undefined ? [] : [[name, values[at]]])));
}

/** Publishing events tell the domain in a sentence or as data, and a code only when it failed. */
function publishingValues(block: string): Record<string, string> {
  const data = dataOf(block);
  const text = data === undefined ? block : data.map((each) => `'${each.replace(/^\W+|\W+$/g, '')}'`).join(' ');
  const domain = /['\u2018\u2019"]([A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9._-]*)['\u2018\u2019"]/;
  const found = text.replace(/0x[0-9a-f]{8}/gi, '').match(domain)?.[1];
  const hresult = /0x[0-9a-f]{8}/i.exec(text)?.[0];
  return { ...(hresult !== undefined && { hresult }), ...(found !== undefined && { domain: found }) };
}

/** `<Data>…</Data>` one after another; some events put the whole list into one. */
function dataOf(block: string): string[] | undefined {
  const data = [...block.matchAll(/<Data[^>]*>([^<]*)<\/Data>/gi)].map((each) => (each[1] ?? '').trim());
  if (data.length === 0) return undefined;
  return data.length === 1 ? (data[0] ?? '').split(',').map((cell) => cell.trim()) : data;
}

/** The line of the block that has most of the fields: a viewer may wrap the list after a comma. */
function infoOf(block: string, wanted: number): string[] | undefined {
  const unwrapped = block.replace(/,\s*\r?\n\s*/g, ', ');
  const best = unwrapped
    .split(/\r?\n/)
    .map(cells)
    .reduce((most, list) => ((list?.length ?? 0) > (most?.length ?? 0) ? list : most), undefined);
  if (best !== undefined || wanted !== 1) return best;
  const code = /0x[0-9a-f]{8}/i.exec(block)?.[0];
  return code === undefined ? undefined : [code];
}

function cells(line: string): string[] | undefined {
  const list = CSV.exec(line.replace(/^[^,]*?(?=0x[0-9a-f]+\s*,)/i, ''))?.[1];
  return list?.split(',').map((cell) => cell.trim());
}
