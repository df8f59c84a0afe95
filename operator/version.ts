// SPDX-License-Identifier: Apache-2.0

// The version of this package, from its package.json; esbuild puts it into the bundle.
import manifest from './package.json' with { type: 'json' };

/** Version of kmspool, as `1.2.3`. */
export const VERSION: string = manifest.version;
