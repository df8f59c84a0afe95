// SPDX-License-Identifier: Apache-2.0

// A real Prometheus as a process of its own, on a loopback port, with its data in a temporary folder: it scrapes what a test runs and evaluates our rules.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixedPort, makeTestFolder, startServer } from './kubernetes/server-process.ts';
import { waitFor } from './wait.ts';

/** Why it cannot run here, for node:test's `skip`; false when it can. */
export function missingPrometheus(): string | false {
  return spawnSync('prometheus', ['--version']).status === 0
    ? false
    : 'not installed (Debian: apt-get install prometheus)';
}

/** What it scrapes and evaluates, every second. */
export interface PrometheusOptions {
  /** `address:port` by job. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  /** Labels that the job's targets get, as service discovery would give them. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Paths of rule files. */
  readonly rules: readonly string[];
}

/** One series of an answer; the value of an instant vector. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [seconds: number, value: string];
}

/** A rule as it was last evaluated. */
export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly alerts: readonly {
    readonly state: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

export interface Prometheus {
  readonly url: string;
  /** An instant query. @throws Error with what Prometheus said, when it refuses the expression. */
  query(expr: string): Promise<readonly Sample[]>;
  rules(): Promise<readonly RuleState[]>;
  /** The targets that are not up, with their error. */
  downTargets(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Starts it. @throws Error with its log when it is not ready within 30 s. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const folder = makeTestFolder('prometheus');
  const listen = `127.0.0.1:${await fixedPort()}`;
  const configFile = join(folder.path, 'prometheus.yml');
  writeFileSync(configFile, JSON.stringify(configOf(options)));
  const server = startServer({
    command: 'prometheus',
    args: [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(folder.path, 'data')}`,
      `--web.listen-address=${listen}`,
      '--log.level=warn',
    ],
    logFile: join(folder.path, 'prometheus.log'),
  });
  const url = `http://${listen}`;
  const stop = async (): Promise<void> => {
    await server.kill();
    folder.remove();
  };
  try {
    await waitFor('Prometheus to be ready', () => isReady(url, server.exitCode), 30_000);
  } catch (error) {
    const log = server.log();
    await stop();
    throw new Error(`${(error as Error).message}\n${log}`, { cause: error });
  }
  return { ...prometheusAt(url), url, stop };
}

async function isReady(url: string, exitCode: () => number | null | undefined): Promise<boolean> {
  if (exitCode() !== undefined) throw new Error(`Prometheus ended with ${exitCode()}`);
  const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.status === 200;
}

/** JSON is YAML. */
function configOf({ targets, labels = {}, rules }: PrometheusOptions): object {
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: rules,
    scrape_configs: Object.entries(targets).map(([job, addresses]) => ({
      job_name: job,
      // What the hosts and the operator say of pools wins over what is known of their target.
      honor_labels: true,
      static_configs: [{ targets: addresses, labels: labels[job] ?? {} }],
    })),
  };
}

/** One that runs already, by its URL. */
export function prometheusAt(url: string): Pick<Prometheus, 'query' | 'rules' | 'downTargets'> {
  const get = async (path: string, body?: URLSearchParams): Promise<unknown> => {
    const init = body === undefined ? {} : { method: 'POST', body };
    const answer = await fetch(`${url}/api/v1/${path}`, { ...init, signal: AbortSignal.timeout(20_000) });
    const { status, data, error } = (await answer.json()) as { status: string; data: unknown; error?: string };
    if (status !== 'success') throw new Error(error ?? `${answer.status}`);
    return data;
  };
  return {
    query: async (expr) => {
      const data = await get('query', new URLSearchParams({ query: expr }));
      const { resultType, result } = data as { resultType: string; result: Sample[] };
      return resultType === 'vector' ? result : [{ metric: {}, value: result as unknown as Sample['value'] }];
    },
    rules: async () => {
      const { groups } = (await get('rules')) as { groups: { rules: RuleState[] }[] };
      return groups.flatMap(({ rules }) => rules);
    },
    downTargets: async () => {
      const { activeTargets } = (await get('targets?state=active')) as {
        activeTargets: { scrapeUrl: string; health: string; lastError: string }[];
      };
      return activeTargets
        .filter(({ health }) => health !== 'up')
        .map((each) => `${each.scrapeUrl} is ${each.health}: ${each.lastError}`);
    },
  };
}
