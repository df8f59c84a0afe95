// SPDX-License-Identifier: Apache-2.0

// The HostConfig of one host, as a ConfigMap, there and back. What is in it is decided elsewhere.
import {
  ANNOTATIONS,
  canonicalJson,
  HOST_CONFIG_FILE,
  type HostConfig,
  hostConfigHash,
  parseHostConfig,
  RESTART_FIELDS,
} from '@kmspool/crds';
import { CONFIG_MAPS, type ConfigMap } from '../kinds.ts';
import { annotated, type HostSource, hostMetadata, intentOf } from './object.ts';

/** What the ConfigMap of a host is made from. */
export interface ConfigMapSource extends HostSource {
  readonly config: HostConfig;
}

/** The ConfigMap `<pool>-<ordinal>`. Equal configurations give equal texts, however their members are ordered. */
export function buildConfigMap({ config, pool, owner, ordinal }: ConfigMapSource): ConfigMap {
  const text = `${JSON.stringify(JSON.parse(canonicalJson(config)), null, 2)}\n`;
  return intentOf<ConfigMap>(CONFIG_MAPS, {
    metadata: annotated(hostMetadata({ pool, owner, ordinal }), { [ANNOTATIONS.configHash]: hostConfigHash(config) }),
    data: { [HOST_CONFIG_FILE]: text },
  });
}

/** The configuration that a live ConfigMap holds; undefined when there is none that this version can read. */
export function hostConfigOf(configMap: ConfigMap | undefined): HostConfig | undefined {
  const text = configMap?.data?.[HOST_CONFIG_FILE];
  if (text === undefined) return undefined;
  const parsed = parseHostConfig(text);
  return parsed.ok ? parsed.config : undefined;
}

/**
 * The wanted configuration with the live one's {@link RESTART_FIELDS}: what a host can take over whose turn to restart has not come. A host refuses a
 * file as a whole in which one of these fields differs.
 */
export function keepRestartFields(live: HostConfig, wanted: HostConfig): HostConfig {
  const fields: ReadonlySet<string> = new Set(RESTART_FIELDS);
  const restart = Object.entries(live).filter(([field]) => fields.has(field));
  const others = Object.entries(wanted).filter(([field]) => !fields.has(field));
  return Object.fromEntries([...others, ...restart]) as HostConfig;
}
