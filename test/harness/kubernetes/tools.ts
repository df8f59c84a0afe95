// SPDX-License-Identifier: Apache-2.0
/**
 * Where the programs are that make up a real Kubernetes API server and its neighbours, and why a test that needs one of them is skipped. It builds and
 * installs nothing: that is `make tools`.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Programs that are built from pinned Go modules (test/tools/go). One of the same name elsewhere on the machine is of another version, and not used. */
const BUILT = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl', 'external-dns', 'helm'] as const;

/** Programs of Debian packages, and the package. */
const PACKAGED = {
  openssl: 'openssl',
  pdns_server: 'pdns-server',
  pdnsutil: 'pdns-server',
  dig: 'bind9-dnsutils',
  nsupdate: 'bind9-dnsutils',
  'named-checkzone': 'bind9-utils',
  dnsmasq: 'dnsmasq-base',
  unbound: 'unbound',
  'unbound-checkconf': 'unbound',
  'redis-server': 'redis-server',
  setpriv: 'util-linux',
} as const;

export type Tool = (typeof BUILT)[number] | keyof typeof PACKAGED;

/** Folders of the built programs: KMSPOOL_TEST_BIN (like PATH) if it is set, else what the build script knows. */
const BUILT_FOLDERS: readonly string[] = foldersOf(process.env['KMSPOOL_TEST_BIN'] ?? askBuildScript());

/** Where Debian keeps programs; servers lie in sbin, which is not on everybody's PATH. */
const SYSTEM_FOLDERS: readonly string[] = [...foldersOf(process.env['PATH'] ?? ''), '/usr/sbin', '/usr/local/sbin'];

/** The path of a program, or undefined if it is not there. */
export function findTool(tool: Tool): string | undefined {
  return (isBuilt(tool) ? BUILT_FOLDERS : SYSTEM_FOLDERS)
    .map((folder) => join(folder, tool))
    .find((path) => isExecutable(path));
}

/** The path of a program. @throws Error that names the remedy, if it is not there; tests ask {@link missingTool} first. */
export function toolPath(tool: Tool): string {
  const path = findTool(tool);
  if (path === undefined) throw new Error(String(missingTool(tool)));
  return path;
}

/** Why tests with these programs cannot run here, in one line for node:test's `skip`; false if they can. */
export function missingTool(...tools: readonly Tool[]): string | false {
  const missing = tools.filter((tool) => findTool(tool) === undefined);
  const built = missing.filter(isBuilt);
  const packages = [...new Set(missing.flatMap((tool) => (isBuilt(tool) ? [] : [PACKAGED[tool]])))];
  const reasons = [
    built.length > 0 ? `${built.join(', ')} not built (needs Go: test/build-go-tools.sh)` : '',
    packages.length > 0 ? `not installed (Debian: apt-get install ${packages.join(' ')})` : '',
  ].filter((reason) => reason !== '');
  return reasons.length === 0 ? false : reasons.join('; ');
}

/** What {@link missingTool} says of a control plane: etcd, kube-apiserver, kubectl and openssl, and with controllers also their manager. */
export function missingControlPlane(options: { readonly controllers?: boolean } = {}): string | false {
  const manager = options.controllers === true ? (['kube-controller-manager'] as const) : [];
  return missingTool('etcd', 'kube-apiserver', 'kubectl', 'openssl', ...manager);
}

function isBuilt(tool: Tool): tool is (typeof BUILT)[number] {
  return (BUILT as readonly string[]).includes(tool);
}

function foldersOf(path: string): string[] {
  return path.split(delimiter).filter((folder) => folder !== '');
}

function askBuildScript(): string {
  const { stdout } = spawnSync(join(ROOT, 'test/build-go-tools.sh'), ['--path'], { encoding: 'utf8' });
  return stdout?.trim() ?? '';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
