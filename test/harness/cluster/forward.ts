// SPDX-License-Identifier: Apache-2.0
/** A port of a Pod or Service, on this machine's loopback: kubectl port-forward as a child, ended by the test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { toolPath } from '../kubernetes/tools.ts';

export interface Forward {
  readonly port: number;
  stop(): Promise<void>;
}

/** Opens it; `target` as kubectl takes it: `service/prometheus`. @throws Error with kubectl's words. */
export async function forward(kubeconfig: string, namespace: string, target: string, port: number): Promise<Forward> {
  const args = ['port-forward', '-n', namespace, target, `:${port}`, '--address', '127.0.0.1'];
  const child = spawn(toolPath('kubectl'), args, {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += String(chunk);
  });
  const lines = createInterface({ input: child.stdout });
  const ended = exited.then((): never => {
    throw new Error(`kubectl ${args.join(' ')}: ${said}`);
  });
  ended.catch(() => undefined);
  for (;;) {
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
    const found = /127\.0\.0\.1:(\d+) ->/.exec(line)?.[1];
    if (found === undefined) continue;
    return {
      port: Number(found),
      stop: async () => {
        child.kill();
        await exited;
      },
    };
  }
}
