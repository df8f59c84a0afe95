// SPDX-License-Identifier: Apache-2.0
/**
 * A certificate authority for one test, and certificates from it: elliptic keys, for they are made in milliseconds. The private keys lie in the test's
 * temporary folder and end with it.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toolPath } from './tools.ts';

const run = promisify(execFile);
const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];

/** A certificate and its key: the files, and what is in them. */
export interface KeyPair {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

/** Signs certificates. */
export interface Authority extends KeyPair {
  /** A server's certificate for localhost, 127.0.0.1 and ::1, and for further DNS names. */
  serverCertificate(name: string, dnsNames?: readonly string[]): Promise<KeyPair>;
  /** A client's certificate. To Kubernetes the common name is the user, each organization a group. */
  clientCertificate(user: string, groups: readonly string[]): Promise<KeyPair>;
}

/** A new authority that keeps its files in `directory`. */
export async function makeAuthority(directory: string): Promise<Authority> {
  const config = join(directory, 'openssl.cnf');
  // Without a file of our own, extensions of the machine's would come in.
  await writeFile(config, '[req]\ndistinguished_name = dn\n[dn]\n');
  const issue = async (name: string, args: readonly string[]): Promise<KeyPair> => {
    const [certificateFile, keyFile] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
    const files = ['-config', config, '-out', certificateFile, '-keyout', keyFile];
    await run(toolPath('openssl'), ['req', '-x509', ...EC_KEY, '-days', '7', ...files, ...args]);
    const [certificate, key] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(keyFile, 'utf8')]);
    return { certificateFile, keyFile, certificate, key };
  };
  const own = await issue('ca', [
    ...['-subj', '/CN=kmspool test authority'],
    ...extensions(['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']),
  ]);
  const signed = ['-CA', own.certificateFile, '-CAkey', own.keyFile];
  return {
    ...own,
    serverCertificate: (name, dnsNames = []) => {
      const names = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1', ...dnsNames.map((dnsName) => `DNS:${dnsName}`)];
      const wanted = ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth'];
      const subject = ['-subj', `/CN=${escaped(name)}`];
      return issue(name, [...signed, ...subject, ...extensions([...wanted, `subjectAltName=${names.join(',')}`])]);
    },
    clientCertificate: (user, groups) => {
      const subject = [...groups.map((group) => `/O=${escaped(group)}`), `/CN=${escaped(user)}`].join('');
      const wanted = ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=clientAuth'];
      return issue(`client-${fileName(user)}`, [...signed, '-subj', subject, ...extensions(wanted)]);
    },
  };
}

function extensions(values: readonly string[]): string[] {
  return values.flatMap((value) => ['-addext', value]);
}

/** In `-subj` a slash divides fields and a plus their values. */
function escaped(value: string): string {
  return value.replace(/[\\/+]/g, '\\$&');
}

function fileName(user: string): string {
  return user.replace(/[^a-zA-Z0-9.-]/g, '_');
}
