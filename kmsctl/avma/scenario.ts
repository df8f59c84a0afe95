// SPDX-License-Identifier: Apache-2.0
//
// A scenario file of `kmsctl avma`: hosts, guests, and steps with what is expected of them. Text in; a checked scenario or the lines of
// what is wrong out. It plays nothing.

import { redacted } from '@kmspool/crds';
import { HOST_ACTIVATIONS, HYPERVISORS, NOTIFICATIONS, OTHER_KEYS } from '@kmspool/kms/avma';
import { AVMA_GUESTS, AVMA_VERSIONS, HOST_OS_NAMES } from '@kmspool/kms/catalog';
import { isNode, LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';

const EDITIONS = [...new Set(AVMA_GUESTS.map(({ edition }) => edition))] as const;
const REASONS = [
  ...['Activated', 'OtherHypervisor', 'NoDataExchange', 'HostDoesNotAnswer', 'HostNotSupported'],
  ...['HostNotActivated', 'HostTooOld', 'DataDamaged', 'IdMismatch'],
] as const;
const TIME_UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A year and a day: renewals of every guest are played one by one. */
const WAIT_MAX_DAYS = 366;

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'write a name of letters, digits, dots and dashes');
const text = z.string().max(256, 'write at most 256 characters');
const wait = z
  .string()
  .regex(/^\d{1,6}[mhd]$/, 'write a time such as 30m, 12h or 7d')
  .transform((written) => Number(written.slice(0, -1)) * (TIME_UNITS[written.slice(-1)] ?? 0))
  .refine((ms) => ms <= WAIT_MAX_DAYS * 86_400_000, `wait at most ${WAIT_MAX_DAYS}d`);

const KEY_REMEDY =
  'write Avma, Retail, Oem or Volume, or the {os, edition} that an AVMA key is for; a key itself is not needed';
const key = z.union(
  [z.enum(['Avma', ...OTHER_KEYS]), z.strictObject({ os: z.enum(AVMA_VERSIONS), edition: z.enum(EDITIONS) })],
  {
    error: KEY_REMEDY,
  },
);

const data = z.strictObject({
  fqdn: text.optional(),
  osName: text.optional(),
  servicePack: text.optional(),
  architecture: text.optional(),
  ipv4: z.array(text).max(16).optional(),
  ipv6: z.array(text).max(16).optional(),
  rdpAddress: text.optional(),
});

const host = z.strictObject({
  name,
  os: z.enum([...HOST_OS_NAMES, 'Other']),
  edition: z.enum(['Datacenter', 'Standard', 'Other']).default('Datacenter'),
  hypervisor: z.enum(HYPERVISORS).default('HyperV'),
  activation: z.enum(HOST_ACTIVATIONS).default('Volume'),
  answers: z.boolean().default(true),
  connected: z.boolean().default(true),
  cluster: name.optional(),
});

const guest = z
  .strictObject({
    name,
    tenant: name.default('own'),
    host: name,
    os: z.enum(AVMA_VERSIONS),
    edition: z.enum(EDITIONS).default('Standard'),
    key: key.default('Avma'),
    connected: z.boolean().default(true),
    dataExchange: z.boolean().default(true),
    data: data.default({}),
  })
  .superRefine(({ os, edition }, context) => {
    const known = AVMA_GUESTS.filter(({ version }) => version === os).map((each) => each.edition);
    if (known.includes(edition)) return;
    context.addIssue({
      code: 'custom',
      path: ['edition'],
      message: `${os} has no ${edition}; use ${known.join(', ')}`,
    });
  });

const expectation = z.strictObject({
  guest: name,
  license: z.enum(['Unlicensed', 'Licensed', 'Notification', 'OtherKey']).optional(),
  host: name.optional(),
  boundTo: z.union([name, z.literal('nobody')]).optional(),
  notification: z.enum([...NOTIFICATIONS, 'None']).optional(),
  reason: z.enum(REASONS).optional(),
  hostLog: z.boolean().optional(),
  data: z.enum(['Present', 'Absent']).optional(),
  fqdn: text.optional(),
});

const ACTIONS = [
  'start',
  'stop',
  'retry',
  'migrate',
  'setKey',
  'tamper',
  'setGuest',
  'setHost',
  'lose',
  'wait',
] as const;

const step = z
  .strictObject({
    note: text.optional(),
    start: name.optional(),
    stop: name.optional(),
    retry: name.optional(),
    migrate: z.strictObject({ guest: name, to: name }).optional(),
    setKey: z.strictObject({ guest: name, key }).optional(),
    tamper: z.strictObject({ guest: name, data }).optional(),
    setGuest: z
      .strictObject({
        ...{ guest: name, dataExchange: z.boolean().optional() },
        ...{ damaged: z.boolean().optional(), connected: z.boolean().optional() },
      })
      .optional(),
    setHost: z
      .strictObject({
        ...{ host: name, activation: z.enum(HOST_ACTIVATIONS).optional() },
        ...{ answers: z.boolean().optional(), connected: z.boolean().optional() },
      })
      .optional(),
    lose: name.optional(),
    wait: wait.optional(),
    expect: z.array(expectation).max(100).default([]),
  })
  .superRefine((written, context) => {
    const actions = ACTIONS.filter((action) => written[action] !== undefined);
    if (actions.length === 1) return;
    const found = actions.length === 0 ? 'does nothing' : `does ${actions.join(' and ')} at once`;
    context.addIssue({ code: 'custom', message: `the step ${found}; write exactly one of ${ACTIONS.join(', ')}` });
  });

const scenario = z
  .strictObject({
    name: text.min(1, 'write a name'),
    description: z.string().max(2000).optional(),
    begin: z.iso.datetime('write a time such as 2026-01-05T08:00:00Z').default('2026-01-05T08:00:00Z'),
    hosts: z.array(host).min(1, 'add a host').max(100),
    guests: z.array(guest).min(1, 'add a guest').max(1000),
    steps: z.array(step).min(1, 'add a step').max(1000),
  })
  .superRefine((written, context) => {
    for (const { path, message } of strangers(written)) context.addIssue({ code: 'custom', path: [...path], message });
  });

export type Scenario = z.output<typeof scenario>;
export type ScenarioStep = Scenario['steps'][number];
export type Expectation = ScenarioStep['expect'][number];

type Path = readonly (string | number)[];
interface Fault {
  readonly path: Path;
  readonly message: string;
}

interface Named {
  readonly hosts: readonly { readonly name: string }[];
  readonly guests: readonly { readonly name: string; readonly host: string }[];
  readonly steps: readonly z.output<typeof step>[];
}

/** Names that stand twice, or for nothing. */
function strangers({ hosts, guests, steps }: Named): Fault[] {
  const hostNames = hosts.map((each) => each.name);
  const guestNames = guests.map((each) => each.name);
  const known = (kind: 'host' | 'guest', wanted: string | undefined, path: Path): Fault[] => {
    const names = kind === 'host' ? hostNames : guestNames;
    if (wanted === undefined || names.includes(wanted)) return [];
    return [{ path, message: `there is no ${kind} ${wanted}; use one of ${names.slice(0, 10).join(', ')}` }];
  };
  const twice = (names: readonly string[], list: string): Fault[] =>
    names.flatMap((each, at) =>
      names.indexOf(each) < at
        ? [{ path: [list, at, 'name'], message: `${each} stands above already; rename one` }]
        : [],
    );
  return [
    ...twice(hostNames, 'hosts'),
    ...twice(guestNames, 'guests'),
    ...guests.flatMap((each, at) => known('host', each.host, ['guests', at, 'host'])),
    ...steps.flatMap((each, at) => [
      ...known('guest', each.start, ['steps', at, 'start']),
      ...known('guest', each.stop, ['steps', at, 'stop']),
      ...known('guest', each.retry, ['steps', at, 'retry']),
      ...known('guest', each.migrate?.guest, ['steps', at, 'migrate', 'guest']),
      ...known('host', each.migrate?.to, ['steps', at, 'migrate', 'to']),
      ...known('guest', each.setKey?.guest, ['steps', at, 'setKey', 'guest']),
      ...known('guest', each.tamper?.guest, ['steps', at, 'tamper', 'guest']),
      ...known('guest', each.setGuest?.guest, ['steps', at, 'setGuest', 'guest']),
      ...known('host', each.setHost?.host, ['steps', at, 'setHost', 'host']),
      ...known('host', each.lose, ['steps', at, 'lose']),
      ...each.expect.flatMap((wanted, n) => known('guest', wanted.guest, ['steps', at, 'expect', n, 'guest'])),
    ]),
  ];
}

export type LoadedScenario =
  | { readonly ok: true; readonly scenario: Scenario }
  /** One line each: file, line, field, what is wrong and what to write. */
  | { readonly ok: false; readonly errors: readonly string[] };

/** The scenario in a YAML or JSON text; `file` is how error lines call it. */
export function loadScenario(source: string, file: string): LoadedScenario {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    return {
      ok: false,
      errors: [`${file}:${lines.linePos(syntax.pos[0]).line}: this is not YAML: ${oneLine(syntax.message)}`],
    };
  }
  const parsed = scenario.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (parsed.success) return { ok: true, scenario: parsed.data };
  const lineOf = (path: Path): number => {
    for (let length = path.length; length >= 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  const errors = parsed.error.issues.map((issue) => {
    const path = issue.path.map((each) => (typeof each === 'symbol' ? String(each) : each));
    return `${file}:${lineOf(path)}: ${oneLine(`${pathText(path)}${messageOf(issue)}`)}`;
  });
  return { ok: false, errors };
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `unknown field ${issue.keys.join(', ')}; remove it, or see kmsctl avma --help`;
  if (issue.code === 'invalid_value') return `use one of ${issue.values.map(String).join(', ')}`;
  if (issue.code !== 'invalid_type') return issue.message;
  const wanted =
    issue.expected === 'object' ? 'a map of fields' : issue.expected === 'array' ? 'a list' : `a ${issue.expected}`;
  return `write ${wanted} here`;
}

function pathText(path: Path): string {
  const shown = path.map((each, at) => (typeof each === 'number' ? `[${each}]` : `${at === 0 ? '' : '.'}${each}`));
  return path.length === 0 ? '' : `${shown.join('')}: `;
}

function oneLine(line: string): string {
  return redacted(line).replace(/\s+/g, ' ').trim();
}
