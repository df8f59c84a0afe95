// SPDX-License-Identifier: Apache-2.0

// The files of a host: its configuration, the pool's key, the admin token, and what Redis asks for; with the flags that name them (kms-node --help).
import { HOST_CONFIG_FILE, hostName, type KmsHostPool, SECRET_KEYS } from '@kmspool/crds';
import { present } from './object.ts';
import { adminSecretName, keySecretName } from './secret.ts';

const ROOT = '/etc/kmspool';

/** Owner and group may read; the group is the Pod's fsGroup. */
const READABLE_BY_GROUP = 0o440;

/** Volumes of the Pod, mounts and arguments of the container; in one order, so that equal pools give equal templates. */
export interface HostFiles {
  readonly volumes: readonly Record<string, unknown>[];
  readonly mounts: readonly Record<string, unknown>[];
  readonly args: readonly string[];
}

interface Folder {
  /** Of the volume, and of the folder below {@link ROOT}. */
  readonly name: string;
  /** A volume's source. */
  readonly source: Record<string, unknown>;
  readonly flag: string;
  /** What the flag names: a file in the folder, or the folder when absent. */
  readonly file?: string;
}

/** The files of one host. Whole folders are mounted, never single files: only so does a changed ConfigMap reach a running host. */
export function hostFiles(pool: KmsHostPool, ordinal: number): HostFiles {
  const folders = [...ownFolders(pool, ordinal), ...redisFolders(pool)];
  return {
    volumes: folders.map(({ name, source }) => ({ name, ...source })),
    mounts: folders.map(({ name }) => ({ name, mountPath: `${ROOT}/${name}`, readOnly: true })),
    args: folders.flatMap(({ name, flag, file }) => [flag, [ROOT, name, file].filter(Boolean).join('/')]),
  };
}

function ownFolders(pool: KmsHostPool, ordinal: number): Folder[] {
  const { poolKey, adminToken } = SECRET_KEYS;
  return [
    {
      name: 'config',
      source: { configMap: { name: hostName(pool.metadata.name, ordinal), defaultMode: READABLE_BY_GROUP } },
      flag: '--config',
      file: HOST_CONFIG_FILE,
    },
    { name: 'key', source: secretVolume(keySecretName(pool), [poolKey]), flag: '--key-file', file: poolKey },
    {
      name: 'admin',
      source: secretVolume(adminSecretName(pool), [adminToken]),
      flag: '--admin-token-file',
      file: adminToken,
    },
  ];
}

function redisFolders({ spec }: KmsHostPool): Folder[] {
  const { credentialsSecretRef, tls } = spec.store?.redis ?? {};
  const { certificateAuthorities, clientCertificate, clientKey } = SECRET_KEYS;
  const sources = [
    ...projected(tls?.caSecretRef?.name, [certificateAuthorities]),
    ...projected(tls?.clientCertificateSecretRef?.name, [clientCertificate, clientKey]),
  ];
  const credentials: Folder[] =
    credentialsSecretRef === undefined
      ? []
      : [{ name: 'redis', source: secretVolume(credentialsSecretRef.name), flag: '--credentials-dir' }];
  const certificates: Folder[] =
    sources.length === 0
      ? []
      : [{ name: 'tls', source: { projected: { defaultMode: READABLE_BY_GROUP, sources } }, flag: '--tls-dir' }];
  return [...credentials, ...certificates];
}

/** A Secret as a volume; only the keys named, or all of them. */
function secretVolume(secretName: string, keys: readonly string[] = []): Record<string, unknown> {
  return { secret: present({ secretName, items: items(keys), defaultMode: READABLE_BY_GROUP }) };
}

function projected(name: string | undefined, keys: readonly string[]): Record<string, unknown>[] {
  return name === undefined ? [] : [{ secret: { name, items: items(keys) } }];
}

function items(keys: readonly string[]): { key: string; path: string }[] {
  return keys.map((key) => ({ key, path: key }));
}
