// SPDX-License-Identifier: Apache-2.0

// The text forms of names, ranges and addresses, at their edges.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DNS_NAME, isCidrRange, isNameserver, REDIS_URL, SERVER_ADDRESS } from './network-names.ts';

type Table = { form: string; accepts: (text: string) => boolean; good: string[]; bad: string[] };

const LONG_LABEL = 'a'.repeat(63);

const TABLES: readonly Table[] = [
  {
    form: 'a CIDR range',
    accepts: isCidrRange,
    good: [
      '0.0.0.0/0',
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.0.2.7/32',
      '::/0',
      '::1/128',
      'fc00::/7',
      'fe80::/10',
      '64:ff9b::/96',
      '2001:db8:0:1::/64',
      '2001:db8:8000::/33',
    ],
    bad: [
      '',
      '/',
      '10.0.0.0',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/08',
      '10.0.0.0/8/8',
      '10.0.0.1/8',
      '172.16.0.0/11',
      '10.0.0/8',
      '010.0.0.0/8',
      'fd00::/129',
      'FD00::/8',
      'fd00:0::/8',
      '2001:db8::1/64',
      '2001:db8:8000::/32',
      '::ffff:10.0.0.0/104',
      '::ffff:a00:0/104',
      'fe80::%1/64',
      'lab.example/8',
      ' 10.0.0.0/8',
    ],
  },
  {
    form: 'a DNS name',
    accepts: (text) => DNS_NAME.test(text),
    good: ['test', 'lab.example', '1.example', 'a-b.example', 'xn--bcher-kva.example', `${LONG_LABEL}.example`],
    bad: [
      '',
      '.',
      'lab.example.',
      '.example',
      'a..b',
      '-a.example',
      'a-.example',
      'Lab.example',
      'a_b.example',
      `${LONG_LABEL}a.example`,
      'lab.example\n',
    ],
  },
  {
    form: 'a server address',
    accepts: (text) => SERVER_ADDRESS.test(text),
    good: ['redis:1', 'redis-0.redis.kms.svc:6379', '10.0.0.1:65535', '[fd00::1]:26379', 'redis_1:6379'],
    bad: [
      'redis',
      'redis:',
      'redis:0',
      'redis:65536',
      'redis:99999',
      ':6379',
      'fd00::1:6379x',
      '[fd00::1]',
      'u@redis:1',
      'redis:06379',
    ],
  },
  {
    form: 'a name server',
    accepts: isNameserver,
    good: ['10.0.0.53', '10.0.0.53:5353', 'fd00::53', '[fd00::53]:53', 'ns1.lab.example', 'ns1.lab.example:53'],
    bad: ['', '10.0.0.53:', '10.0.0.53:0', 'fe80::1%eth0', 'ns1 lab', '-ns'],
  },
  {
    form: 'a Redis URL',
    accepts: (text) => REDIS_URL.test(text),
    good: ['redis://redis', 'redis://redis:6379', 'rediss://redis.example:6380/15', 'redis://[::1]:6379/0'],
    bad: [
      'redis',
      'http://redis',
      'redis://',
      'redis://u:p@redis',
      'redis://:p@redis',
      'redis://redis/x',
      'redis://redis?db=1',
      'unix:///tmp/x',
    ],
  },
];

for (const { form, accepts, good, bad } of TABLES) {
  test(`${form}: what is one and what is not`, () => {
    assert.deepEqual(
      good.filter((text) => !accepts(text)),
      [],
    );
    assert.deepEqual(bad.filter(accepts), []);
  });
}
