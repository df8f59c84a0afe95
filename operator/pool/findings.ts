// SPDX-License-Identifier: Apache-2.0

// What was found out about a pool as its spec is now, so that a reconcile that finds nothing new costs next to nothing: which objects are as wanted, and
// hashes. What is wanted follows from the spec, the pool's uid and the operator's flags alone, so a finding holds until the generation changes; and a live
// object of which it speaks is that very object, for caches put a new one in the place of one that changed. It holds no object that is not in a cache, or
// was a moment ago.
import type { KubernetesObject } from '../runtime/index.ts';

/** Findings about one generation of one pool. */
export class Findings {
  readonly #asWanted = new Map<string, KubernetesObject>();
  readonly #texts = new Map<string, string>();

  /** @param what everything that what is wanted depends on besides the spec, such as `Service/0`. */
  isAsWanted(what: string, live: KubernetesObject | undefined): boolean {
    return live !== undefined && this.#asWanted.get(what) === live;
  }

  /** Notes that the object was compared with what is wanted, and does not differ. */
  noteAsWanted(what: string, live: KubernetesObject): void {
    this.#asWanted.set(what, live);
  }

  /** A text that follows from the spec and what `what` names; made once. */
  text(what: string, make: () => string): string {
    const known = this.#texts.get(what);
    if (known !== undefined) return known;
    const made = make();
    this.#texts.set(what, made);
    return made;
  }
}
