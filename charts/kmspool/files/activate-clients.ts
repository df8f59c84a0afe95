// SPDX-License-Identifier: Apache-2.0

// What `helm test` runs in the image of kmsctl: simulated clients find a host by SRV and ask to be activated, one after another, until one is licensed. Their
// machine IDs are made from the name of the release, so that the same test run again counts no further machines.
//
//   node activate-clients.ts NAME CLIENTS -- FLAGS OF kmsctl activate
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

const KMSCTL = process.env['KMSCTL'] ?? '/app/kmsctl.mjs';

/** A version 8 UUID (RFC 9562: of our own making). */
function machineId(name: string, index: number): string {
  const hex = createHash('sha256').update(`kmspool helm test ${name} ${index}`).digest('hex');
  const [a, b, c, d, e] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16), hex.slice(17, 20), hex.slice(20, 32)];
  return `${a}-${b}-8${c}-8${d}-${e}`;
}

const [name = '', clients = '5', , ...flags] = process.argv.slice(2);
process.exitCode = 1;
for (let index = 1; index <= Number(clients) && process.exitCode === 1; index++) {
  console.log(`\nclient ${index} of at most ${clients}`);
  const machine = ['--cmid', machineId(name, index), '--name', `helm-test-${index}`];
  const { status, error } = spawnSync(process.execPath, [KMSCTL, 'activate', ...machine, ...flags], {
    stdio: 'inherit',
  });
  if (error !== undefined) console.error(error.message);
  process.exitCode = status ?? 2;
}
if (process.exitCode === 0) console.log('\nlicensed: a host was found by SRV, and it activates');
