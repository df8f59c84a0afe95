// SPDX-License-Identifier: Apache-2.0

// The files that a Pod's container finds in its volumes: ConfigMaps, Secrets and projections of both. Reading is pure; writing puts each file in its place
// by rename, so that a reader sees the old or the new one whole.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { keyOf } from '../../../../operator/runtime/index.ts';
import type { FullPod, Volume, VolumeSources } from './kinds.ts';

/** The API server adds it where nobody asked not to; nothing that is played here uses it. */
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

/** By path in the container. */
export type VolumeFiles = ReadonlyMap<string, Buffer>;

export type ReadVolumes =
  | { readonly ok: true; readonly files: VolumeFiles }
  /** What a volume names and is not there; a kubelet waits for it. */
  | { readonly ok: false; readonly missing: string };

/** One ConfigMap or Secret, as a volume or a part of a projected one names it. */
interface Part {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly items: readonly { readonly key: string; readonly path: string }[] | undefined;
  readonly optional: boolean;
}

function partsOf(volume: Volume): Part[] {
  const parts: Part[] = [];
  const add = (kind: Part['kind'], name: string, of: { items?: Part['items']; optional?: boolean }): void => {
    parts.push({ kind, name, items: of.items, optional: of.optional === true });
  };
  if (volume.configMap !== undefined) add('ConfigMap', volume.configMap.name, volume.configMap);
  if (volume.secret !== undefined) add('Secret', volume.secret.secretName, volume.secret);
  for (const { configMap, secret } of volume.projected?.sources ?? []) {
    if (configMap !== undefined) add('ConfigMap', configMap.name, configMap);
    if (secret !== undefined) add('Secret', secret.name, secret);
  }
  return parts;
}

/** How a ConfigMap or Secret is filed: `ConfigMap namespace/name`. */
export function sourceKey(kind: Part['kind'], namespace: string | undefined, name: string): string {
  return `${kind} ${keyOf({ namespace, name })}`;
}

/** Everything that the Pod's volumes name, by {@link sourceKey}. */
export function sourcesOf(pod: FullPod): string[] {
  const parts = (pod.spec.volumes ?? []).flatMap(partsOf);
  return parts.map(({ kind, name }) => sourceKey(kind, pod.metadata.namespace, name));
}

/** The files of all volumes that the first container mounts. */
export function readVolumes(pod: FullPod, sources: VolumeSources): ReadVolumes {
  const files = new Map<string, Buffer>();
  for (const { name, mountPath, subPath } of pod.spec.containers[0]?.volumeMounts ?? []) {
    if (mountPath === TOKEN_PATH) continue;
    if (subPath !== undefined) throw new Error(`${pod.metadata.name}: the node player knows no subPath`);
    const volume = pod.spec.volumes?.find((each) => each.name === name);
    for (const part of volume === undefined ? [] : partsOf(volume)) {
      const missing = readPart(part, sources, (path, bytes) => files.set(join(mountPath, path), bytes));
      if (missing !== undefined) return { ok: false, missing };
    }
  }
  return { ok: true, files };
}

function readPart(part: Part, sources: VolumeSources, put: (path: string, bytes: Buffer) => void): string | undefined {
  const encoding = part.kind === 'Secret' ? 'base64' : 'utf8';
  const source = part.kind === 'Secret' ? sources.secret(part.name) : sources.configMap(part.name);
  const said = part.kind.toLowerCase();
  if (source === undefined) return part.optional ? undefined : `${said} "${part.name}" not found`;
  const data = source.data ?? {};
  for (const { key, path } of part.items ?? Object.keys(data).map((key) => ({ key, path: key }))) {
    const text = data[key];
    if (text !== undefined) put(path, Buffer.from(text, encoding));
    else if (!part.optional) return `${said} "${part.name}" has no key "${key}"`;
  }
  return undefined;
}

/** Writes what is new or different below `root`; answers what is now there. */
export function writeVolumes(root: string, files: VolumeFiles, there: VolumeFiles): VolumeFiles {
  for (const [path, bytes] of files) {
    if (there.get(path)?.equals(bytes)) continue;
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, bytes);
    renameSync(`${file}.new`, file);
  }
  return files;
}

/** The value of a flag in a container's arguments: `--flag value` or `--flag=value`. */
export function flagValue(args: readonly string[], flag: string): string | undefined {
  const at = args.findIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
  if (at < 0) return undefined;
  return args[at] === flag ? args[at + 1] : args[at]?.slice(flag.length + 1);
}
