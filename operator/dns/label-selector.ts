// SPDX-License-Identifier: Apache-2.0

// Kubernetes label selectors as text (`app=x, tier in (a, b), !canary`), as far as to say whether labels match. Pure.

/** Longer ones are not read: whoever wrote them may mean to cost time. */
const LONGEST = 1024;

/** Whether the labels match; undefined for a selector that is not understood. An empty one matches everything. */
export function matchesSelector(selector: string, labels: Readonly<Record<string, string>>): boolean | undefined {
  if (selector.length > LONGEST) return undefined;
  let matches = true;
  for (const term of termsOf(selector)) {
    const match = matchesTerm(term, labels);
    if (match === undefined) return undefined;
    matches &&= match;
  }
  return matches;
}

/** Commas between parentheses do not part terms. */
function termsOf(selector: string): string[] {
  const terms = selector.split(/,(?![^()]*\))/).map((term) => term.trim());
  return terms.length === 1 && terms[0] === '' ? [] : terms;
}

const KEY = '[A-Za-z0-9][-A-Za-z0-9_./]*';
const EQUALITY = new RegExp(`^(${KEY})\\s*(==?|!=)\\s*([-A-Za-z0-9_.]*)$`);
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([-A-Za-z0-9_., ]*)\\)$`);
const EXISTENCE = new RegExp(`^(!?)\\s*(${KEY})$`);

function matchesTerm(term: string, labels: Readonly<Record<string, string>>): boolean | undefined {
  const [, key = '', operator, value] = EQUALITY.exec(term) ?? [];
  if (operator !== undefined) return (labelOf(labels, key) === value) === (operator !== '!=');
  const [, member = '', mode, list = ''] = SET.exec(term) ?? [];
  if (mode !== undefined) {
    const label = labelOf(labels, member);
    const isIn = label !== undefined && list.split(',').some((item) => item.trim() === label);
    return isIn === (mode === 'in');
  }
  const [, not, name] = EXISTENCE.exec(term) ?? [];
  return name === undefined ? undefined : (labelOf(labels, name) !== undefined) === (not === '');
}

function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
