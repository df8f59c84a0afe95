// SPDX-License-Identifier: Apache-2.0
//
// Volume editions of Office, Project and Visio, by release. Only names: no keys, no Microsoft IDs.
// The names carry no release; products.ts adds it, and puts LTSC in place of % for the releases sold under that name
// ("Visio % Standard" is "Visio Standard 2019" and "Visio LTSC Standard 2021"; Project never carries it).

import type { EditionSeed } from './products.ts';

const SUITES: readonly EditionSeed[] = [
  ['professional-plus', 'Office % Professional Plus'],
  ['standard', 'Office % Standard'],
];
const PROJECT: readonly EditionSeed[] = [
  ['project-professional', 'Project Professional'],
  ['project-standard', 'Project Standard'],
];
const VISIO: readonly EditionSeed[] = [
  ['visio-professional', 'Visio % Professional'],
  ['visio-standard', 'Visio % Standard'],
];
/** Applications in every release. */
const COMMON_APPS: readonly EditionSeed[] = [
  ['access', 'Access %'],
  ['excel', 'Excel %'],
  ['outlook', 'Outlook %'],
  ['powerpoint', 'PowerPoint %'],
  ['word', 'Word %'],
];
const PUBLISHER: EditionSeed = ['publisher', 'Publisher %'];
const ONENOTE: EditionSeed = ['onenote', 'OneNote %'];
const INFOPATH: EditionSeed = ['infopath', 'InfoPath %'];
const SKYPE: EditionSeed = ['skype-for-business', 'Skype for Business %'];

const ALL_RELEASES: readonly EditionSeed[] = [...SUITES, ...PROJECT, ...VISIO, ...COMMON_APPS];

export const OFFICE_2010: readonly EditionSeed[] = [
  ...ALL_RELEASES,
  ['home-and-business', 'Office % Home and Business'],
  ['visio-premium', 'Visio % Premium'],
  INFOPATH,
  ONENOTE,
  PUBLISHER,
  ['sharepoint-workspace', 'SharePoint Workspace %'],
];
export const OFFICE_2013: readonly EditionSeed[] = [...ALL_RELEASES, INFOPATH, ['lync', 'Lync %'], ONENOTE, PUBLISHER];
export const OFFICE_2016: readonly EditionSeed[] = [...ALL_RELEASES, ONENOTE, PUBLISHER, SKYPE];
export const OFFICE_2019: readonly EditionSeed[] = [...ALL_RELEASES, PUBLISHER, SKYPE];
export const OFFICE_2021: readonly EditionSeed[] = [...ALL_RELEASES, PUBLISHER, SKYPE];
export const OFFICE_2024: readonly EditionSeed[] = [...ALL_RELEASES, SKYPE];
