// SPDX-License-Identifier: Apache-2.0

// Whether the external-dns in this cluster will publish what the operator writes, read from its Deployments: version, flags, filters. Pure. What cannot be
// known is not held against it: whether the records are there is asked of the name servers in any case; this only says why they are not. Facts as of
// external-dns 0.22 (docs/flags.md, endpoint/domain_filter.go and the providers of that release).
import { srvName } from '@kmspool/kms/dns';
import { type Deployment, DNS_ENDPOINTS } from '../pool/kinds.ts';
import type { ExternalDnsFinding } from '../pool/world.ts';
import { type ExternalDnsContainer, externalDnsContainer } from './external-dns-flags.ts';
import { matchesSelector } from './label-selector.ts';
import { plainName } from './names.ts';

/** What is to be published, where it is known: filters are judged by it. */
export interface ToPublish {
  /** Of the DNSEndpoint. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly domains?: readonly string[];
}

/** What is found of external-dns. */
export interface ExternalDnsSurvey {
  /** None: there is none, or all are scaled to 0. Usable: nothing speaks against publication of every domain. */
  readonly state: 'None' | 'Usable' | 'Unsuitable';
  /** Why nothing will be published; empty unless Unsuitable. One for each external-dns at most. */
  readonly findings: readonly ExternalDnsFinding[];
  /** Limits of those that are usable, to be known and lived with. */
  readonly notes: readonly { readonly where: string; readonly message: string }[];
}

/** Older ones refuse SRV targets that end with a dot, or those that do not. */
const FIRST_USABLE = { major: 0, minor: 22 };
/** Record types that it manages unless told. */
const DEFAULT_TYPES = ['A', 'AAAA', 'CNAME'];
/** Providers that cannot write SRV records. */
const WITHOUT_SRV: ReadonlySet<string> = new Set([
  'aws-sd',
  'azure',
  'azure-dns',
  'azure-private-dns',
  'coredns',
  'pihole',
  'skydns',
]);
/** Others' texts in a message are cut here. */
const SHOWN_MAX = 80;

interface Instance {
  readonly where: string;
  readonly container: ExternalDnsContainer;
  readonly tooOld: string | undefined;
  /** Why it ignores our records, whatever their names. */
  readonly faults: readonly string[];
}

/** Judges every external-dns among these Deployments. */
export function findExternalDns(deployments: readonly Deployment[], toPublish: ToPublish = {}): ExternalDnsSurvey {
  const instances = deployments.flatMap((deployment) => instanceOf(deployment, toPublish) ?? []);
  if (instances.length === 0) return { state: 'None', findings: [], notes: [] };
  const fit = instances.filter(({ tooOld, faults }) => tooOld === undefined && faults.length === 0);
  const left = (toPublish.domains ?? []).filter((domain) => !fit.some(({ container }) => covers(container, domain)));
  if (fit.length > 0 && left.length === 0) return { state: 'Usable', findings: [], notes: fit.flatMap(notesOf) };
  return { state: 'Unsuitable', findings: instances.map((instance) => findingOf(instance, left)), notes: [] };
}

function instanceOf(deployment: Deployment, toPublish: ToPublish): Instance | undefined {
  const container = externalDnsContainer(deployment);
  if (container === undefined || deployment.spec?.replicas === 0) return undefined;
  const { namespace = 'default', name } = deployment.metadata;
  const faults = [
    sourceFault(container),
    ...typeFaults(container),
    providerFault(container),
    ...selectionFaults(container, toPublish),
  ];
  return {
    where: `${namespace}/${name}`,
    container,
    tooOld: versionFault(container),
    faults: faults.filter((fault) => fault !== undefined),
  };
}

function findingOf({ where, container, tooOld, faults }: Instance, left: readonly string[]): ExternalDnsFinding {
  const missed = left.filter((domain) => !covers(container, domain));
  const filter =
    missed.length === 0 ? [] : [`its --domain-filter or --exclude-domains leaves out ${shown(missed)}: add them`];
  const message = [...(tooOld === undefined ? [] : [tooOld]), ...faults, ...filter].join('; ');
  return { where, reason: tooOld === undefined ? 'PublisherIgnoresSrv' : 'PublisherTooOld', message };
}

function versionFault({ version }: ExternalDnsContainer): string | undefined {
  if (version === undefined) return undefined;
  const { major, minor, text } = version;
  const isOld = major < FIRST_USABLE.major || (major === FIRST_USABLE.major && minor < FIRST_USABLE.minor);
  return isOld ? `version ${text} spoils or drops SRV records: upgrade to 0.22 or later` : undefined;
}

function sourceFault(container: ExternalDnsContainer): string | undefined {
  const sources = container.values('source');
  if (sources === undefined || sources.includes('crd')) return undefined;
  return `does not read ${DNS_ENDPOINTS.kind}s: add --source=crd`;
}

function typeFaults(container: ExternalDnsContainer): string[] {
  const remedy =
    'set --managed-record-types=A, --managed-record-types=AAAA and --managed-record-types=SRV, each by itself';
  const types = container.values('managed-record-types');
  const managed = types?.length === 0 ? DEFAULT_TYPES : types;
  const excluded = (container.values('exclude-record-types') ?? []).filter((type) =>
    ['SRV', 'A', 'AAAA'].includes(type),
  );
  const faults = excluded.length === 0 ? [] : [`excludes ${shown(excluded)} by --exclude-record-types: remove that`];
  if (managed === undefined) return faults;
  if (!managed.includes('SRV')) return [...faults, `manages ${shown(managed)} and not SRV: ${remedy}`];
  const addresses = managed.includes('A') || managed.includes('AAAA');
  return addresses ? faults : [...faults, `manages neither A nor AAAA, so the targets have no address: ${remedy}`];
}

function providerFault(container: ExternalDnsContainer): string | undefined {
  const provider = container.values('provider')?.at(-1);
  if (provider === undefined || !WITHOUT_SRV.has(provider)) return undefined;
  return `its provider ${provider} cannot write SRV records: use another one, or publish by hand with spec.dns.publisher None`;
}

/** Filters on the object, whatever it holds. */
function selectionFaults(container: ExternalDnsContainer, { namespace, labels, annotations }: ToPublish): string[] {
  const faults: string[] = [];
  const only = container.values('namespace')?.at(-1);
  if (only && namespace !== undefined && only !== namespace) {
    faults.push(`looks only into namespace ${shown([only])}: run another one for ${namespace}, or remove --namespace`);
  }
  for (const [flag, texts] of [
    ['label-filter', labels],
    ['annotation-filter', annotations],
  ] as const) {
    const selector = container.values(flag)?.at(-1);
    if (selector && texts !== undefined && matchesSelector(selector, texts) === false) {
      faults.push(`its --${flag} (${shown([selector])}) does not select the pool's ${DNS_ENDPOINTS.kind}: widen it`);
    }
  }
  return faults;
}

/** Whether its filters let the domain's record pass. A regular expression of others is not run, and not held against it. */
function covers(container: ExternalDnsContainer, domain: string): boolean {
  const byPattern = ['regex-domain-filter', 'regex-domain-exclusion'].map((flag) => container.values(flag));
  if (byPattern.some((values) => values === undefined || values.some((value) => value !== ''))) return true;
  const name = plainName(srvName(domain));
  const filters = container.values('domain-filter')?.filter((value) => value.trim() !== '');
  const excluded = container.values('exclude-domains') ?? [];
  const isIn = filters === undefined || filters.length === 0 || filters.some((filter) => passes(filter, name));
  return isIn && !excluded.some((filter) => filter.trim() !== '' && passes(filter, name));
}

/** With a leading dot only names below it, else the name itself too. */
function passes(filter: string, name: string): boolean {
  const text = plainName(filter.trim());
  return text.startsWith('.') ? name.endsWith(text) : name === text || name.endsWith(`.${text}`);
}

function notesOf({ where, container }: Instance): { where: string; message: string }[] {
  const notes: string[] = [];
  const policy = container.values('policy')?.at(-1);
  if (policy === 'upsert-only' || policy === 'create-only') {
    notes.push(`with --policy=${policy} it never removes a record, so hosts that leave stay in DNS: set --policy=sync`);
  }
  if (container.values('provider')?.at(-1) === 'rfc2136') {
    notes.push('its provider rfc2136 adds SRV records and never changes or removes them: remove old ones by hand');
  }
  const managed = container.values('managed-record-types') ?? [];
  const lacking = managed.length === 0 ? [] : ['A', 'AAAA'].filter((type) => !managed.includes(type));
  for (const type of lacking) notes.push(`does not manage ${type}: hosts with such addresses are not found by them`);
  return notes.map((message) => ({ where, message }));
}

/** Texts of others, printable and cut short. */
function shown(texts: readonly string[]): string {
  const text = texts.join(', ').replace(/[^\x20-\x7e]/g, '?');
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
}
