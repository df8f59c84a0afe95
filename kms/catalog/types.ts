// SPDX-License-Identifier: Apache-2.0
//
// The shapes of the catalogue's rows, and the closed lists of names that a manifest may use.
// No data beyond those names, no lookups.

/** The three counting domains: a host keeps one client table for each (docs/protocol.md §4). */
export type ApplicationName = 'Windows' | 'Office2010' | 'Office2013';

/** How many distinct clients a host must have seen before products of one kind consider themselves activated. */
export interface Threshold {
  readonly name: 'Server' | 'Client' | 'Office';
  readonly required: number;
}

/** A KMS application: what the application ID of a request names. */
export interface Application {
  /** Position in APPLICATIONS; stable, so it may be stored. */
  readonly index: number;
  readonly name: ApplicationName;
  /** What people call it. */
  readonly title: string;
  /** GUID text, lower case. */
  readonly id: string;
  /** 32 hex digits of the GUID's wire bytes. */
  readonly idHex: string;
  readonly thresholds: readonly Threshold[];
}

/** Product slugs, oldest first within a family. */
export const PRODUCT_SLUGS = [
  'windows-vista',
  'windows-7',
  'windows-8',
  'windows-8.1',
  'windows-10',
  'windows-11',
  'windows-server-2008',
  'windows-server-2008-r2',
  'windows-server-2012',
  'windows-server-2012-r2',
  'windows-server-2016',
  'windows-server-2019',
  'windows-server-2022',
  'windows-server-2025',
  'office-2010',
  'office-2013',
  'office-2016',
  'office-2019',
  'office-2021',
  'office-2024',
] as const;
export type ProductSlug = (typeof PRODUCT_SLUGS)[number];

export type ProductKind = 'client' | 'server' | 'office';

/** KMS protocol major version (docs/protocol.md §3.5). */
export type ProtocolVersion = 4 | 5 | 6;

/** Product key groups of the Vista/2008 and 7/2008 R2 generations, each including the ones before it (S3-40, S3-41). */
export const PRODUCT_GROUPS = ['ClientVL', 'A', 'B', 'C'] as const;
export type ProductGroup = (typeof PRODUCT_GROUPS)[number];

/** One volume edition of a product. */
export interface Edition {
  readonly slug: string;
  readonly name: string;
  readonly product: ProductSlug;
  /** Undefined where Microsoft no longer divides editions into groups (Windows 8 and Server 2012 onwards, Office). */
  readonly group: ProductGroup | undefined;
  /** Release order within the family; higher than the product's for a later long-term servicing release. */
  readonly generation: number;
  /** Our own SKU (activation) ID: UUIDv5, GUID text, lower case. Not Microsoft's. */
  readonly skuId: string;
  readonly skuIdHex: string;
}

/** A product: everything that shares one KMS counted ID here. */
export interface Product {
  readonly slug: ProductSlug;
  readonly name: string;
  readonly application: ApplicationName;
  readonly kind: ProductKind;
  /** Release order within Windows or within Office; a host key covers its own and earlier ones (S3-42). */
  readonly generation: number;
  /** N: the count at which the client considers itself activated: 25, 5 or 5. */
  readonly threshold: number;
  readonly protocolVersion: ProtocolVersion;
  /** Whether the client orders SRV records by priority and weight; not before Windows 7/2008 R2 (S3-21). */
  readonly honoursSrvPriority: boolean;
  /** Our own counted ID: UUIDv5, GUID text, lower case. Not Microsoft's. */
  readonly countedId: string;
  readonly countedIdHex: string;
  readonly editions: readonly Edition[];
}

/** Operating systems that can be a KMS host, oldest first: the order decides a key's default host. */
export const HOST_OS_NAMES = [
  'WindowsServer2003',
  'WindowsVista',
  'WindowsServer2008',
  'Windows7',
  'WindowsServer2008R2',
  'Windows8',
  'WindowsServer2012',
  'Windows81',
  'WindowsServer2012R2',
  'Windows10',
  'WindowsServer2016',
  'WindowsServer2019',
  'Windows11',
  'WindowsServer2022',
  'WindowsServer2025',
] as const;
export type HostOsName = (typeof HOST_OS_NAMES)[number];

export interface HostOs {
  readonly name: HostOsName;
  readonly title: string;
  /** A host on a client system activates clients only (S3-26). */
  readonly kind: 'client' | 'server';
}

/** Host keys (Microsoft: CSVLK), as named in `spec.hostKeys[].product`. */
export const HOST_KEY_PRODUCTS = [
  'WindowsVista',
  'WindowsServer2008GroupA',
  'WindowsServer2008GroupB',
  'WindowsServer2008GroupC',
  'Windows7',
  'WindowsServer2008R2GroupA',
  'WindowsServer2008R2GroupB',
  'WindowsServer2008R2GroupC',
  'Windows8',
  'WindowsServer2012',
  'Windows81',
  'WindowsServer2012R2',
  'Windows10',
  'WindowsServer2012R2ForWindows10',
  'WindowsServer2016',
  'WindowsServer2019',
  'WindowsServer2022',
  'WindowsServer2025',
  'Office2010',
  'Office2013',
  'Office2016',
  'Office2019',
  'Office2021',
  'Office2024',
] as const;
export type HostKeyProduct = (typeof HOST_KEY_PRODUCTS)[number];

/** What a key activates when it is installed on one host OS. */
export interface Coverage {
  /** Products of which at least one edition is covered; what a host decides by (one counted ID a product). */
  readonly products: readonly ProductSlug[];
  /** Slugs of the editions covered; for explanation, a host does not check the SKU. */
  readonly editions: readonly string[];
}

export interface HostKey {
  readonly product: HostKeyProduct;
  readonly title: string;
  readonly kind: ProductKind;
  readonly group: ProductGroup | undefined;
  readonly generation: number;
  /** Where the key may be installed, oldest first; never empty. */
  readonly hostOs: readonly HostOsName[];
  /** The newest of `hostOs`: assumed when a manifest names none. */
  readonly defaultHostOs: HostOsName;
  /** The cover on any host that may hold it. */
  readonly covers: Coverage;
}

export const HOST_KEY_STATES = ['Activated', 'NotActivated', 'Blocked', 'LimitReached'] as const;
export type HostKeyState = (typeof HOST_KEY_STATES)[number];

export interface HostKeyStateInfo {
  readonly state: HostKeyState;
  /** What the host itself would report; 0 when activated. Status and doctor tell it. */
  readonly hostCode: number;
  /** What a client is answered: 0, or 0xC004F041 for every other state (docs/protocol.md §9). */
  readonly wireCode: number;
  readonly title: string;
}

/** An entry of `spec.hostKeys`, as far as the catalogue needs it. */
export interface HostKeySpec {
  readonly product: HostKeyProduct;
  readonly hostOs?: HostOsName | undefined;
  readonly state?: HostKeyState | undefined;
}

/** Languages of the explanatory texts. */
export const LANGUAGES = ['en', 'ko'] as const;
export type Language = (typeof LANGUAGES)[number];

/** One value for each language. */
export type Localised<T = string> = Readonly<Record<Language, T>>;

export interface HresultText {
  /** One sentence: what happened. */
  readonly meaning: string;
  /** One or two sentences: what to do. With `meaning` this is the short form. */
  readonly remedy: string;
  /** Why it happens; only the long form has it and what follows (S4-34). */
  readonly cause: string;
  /** What to do, in the order in which to do it. */
  readonly steps: readonly string[];
  /** What to look at in a pool. */
  readonly pool: string;
}

/** Kinds of activation in which a code is met, as in Microsoft's table of error codes (S4-33). */
export const ACTIVATION_TYPES = ['MAK', 'KmsClient', 'KmsHost'] as const;
export type ActivationType = (typeof ACTIVATION_TYPES)[number];

/** Who comes to a code; Hresult.decidedBy says what each stands for. */
export const DECIDERS = ['host', 'client', 'dns', 'activationService'] as const;
export type Decider = (typeof DECIDERS)[number];

export interface Hresult {
  /** Unsigned, 0 … 0xFFFFFFFF. */
  readonly code: number;
  /** Short UpperCamelCase name, fit for a label. */
  readonly symbol: string;
  /**
   * `host`: it stands in an answer or in the host's own state. `client`: the computer that wants to be activated comes
   * to it by itself. `dns`: a name server or resolver. `activationService`: Microsoft's, not a KMS host.
   */
  readonly decidedBy: Decider;
  /** Never empty; in the order of ACTIVATION_TYPES. */
  readonly activation: readonly ActivationType[];
  readonly texts: Localised<HresultText>;
}

export interface LicenseStatusText {
  readonly name: string;
  /** One sentence: what the computer may do, and for how long. */
  readonly meaning: string;
}

export interface LicenseStatus {
  /** 0–6, as in a request (docs/protocol.md §4). */
  readonly value: number;
  /** In English; `texts` has every language. */
  readonly name: string;
  /** The words of slmgr /dlv's "Requests with License Status …" lines (S1-24). */
  readonly dlvLabel: string;
  /** Value of the `license_status` metric label. */
  readonly slug: string;
  readonly texts: Localised<LicenseStatusText>;
}

export interface EventField {
  readonly name: string;
  /** In English; `titles` has every language. */
  readonly title: string;
  readonly titles: Localised;
}

export interface EventText {
  readonly title: string;
  /** What it says about the computer that logged it. */
  readonly meaning: string;
  /** What to look at next. */
  readonly advice: string;
}

export interface KmsEvent {
  readonly id: number;
  /** In English; `texts` has every language. */
  readonly title: string;
  readonly loggedBy: 'host' | 'client' | 'guest';
  /** Event source as the event viewer shows it. */
  readonly source: string;
  readonly log: 'Application' | 'Key Management Service';
  /** In the order of the event's comma-separated text, or of its parameters. */
  readonly fields: readonly EventField[];
  readonly texts: Localised<EventText>;
}

/** A product key that is the same for everyone, by name and last five characters: the whole key is never here (S3-83, S5-17). */
export interface SetupKey {
  readonly kind: 'KmsClient' | 'Avma';
  /** Product and edition, such as `Windows 7 Professional`. */
  readonly name: string;
  /** Five characters, upper case: what slmgr shows as "Partial Product Key". */
  readonly lastFive: string;
}
