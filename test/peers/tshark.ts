// SPDX-License-Identifier: Apache-2.0
/** tshark as a third party's eyes: captures what goes over the loopback interface on one port, and dissects it as DCE/RPC (docs/protocol.md §6). */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitFor } from '../harness/wait.ts';

const run = promisify(execFile);

/** Why tshark cannot be used here, or undefined if it can. */
export function tsharkMissing(): string | undefined {
  if (spawnSync('tshark', ['--version']).status !== 0) return 'tshark is not installed (Debian package tshark)';
  const interfaces = spawnSync('tshark', ['-D'], { encoding: 'utf8' });
  if (!/\blo\b/.test(interfaces.stdout)) return 'tshark may not capture on lo here (run as root, or with CAP_NET_RAW)';
  return undefined;
}

export class Capture {
  readonly #folder: string;
  readonly #file: string;
  readonly #port: number;
  readonly #child: ChildProcess;
  #log = '';

  private constructor(port: number) {
    this.#port = port;
    this.#folder = mkdtempSync(join(tmpdir(), 'kmspool-tshark-'));
    this.#file = join(this.#folder, 'capture.pcapng');
    this.#child = spawn('tshark', ['-i', 'lo', '-f', `tcp port ${port}`, '-w', this.#file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
    });
  }

  /** Captures from now on. */
  static async start(port: number): Promise<Capture> {
    const capture = new Capture(port);
    try {
      await waitFor('tshark captures', () => {
        if (capture.#child.exitCode !== null) throw new Error(`tshark ended: ${capture.#log}`);
        return capture.#log.includes('Capture started');
      });
    } catch (error) {
      await capture.discard();
      throw error;
    }
    return capture;
  }

  /** Reads the file with a display filter; one line a packet, the fields separated by tabs, several values of one field by commas. */
  async read(filter: string, fields: readonly string[] = []): Promise<string[][]> {
    const wanted =
      fields.length === 0 ? [] : ['-T', 'fields', '-E', 'aggregator=,', ...fields.flatMap((field) => ['-e', field])];
    const decoding = ['-d', `tcp.port==${this.#port},dcerpc`, '-o', 'tcp.desegment_tcp_streams:TRUE'];
    const { stdout } = await run('tshark', ['-r', this.#file, ...decoding, '-Y', filter, ...wanted], {
      maxBuffer: 1 << 26,
    });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  }

  /** Stops once the capture holds so many FINs or resets of the server's: packets reach the file with a delay. */
  async stopAfter(connections: number): Promise<void> {
    const ended = `tcp.srcport==${this.#port} && (tcp.flags.fin==1 || tcp.flags.reset==1)`;
    await waitFor(
      `${connections} connections in the capture`,
      async () => new Set((await this.read(ended, ['tcp.stream']).catch(() => [])).map(String)).size >= connections,
      20_000,
    );
    await this.#stop();
  }

  async #stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGINT');
    await closed;
  }

  async discard(): Promise<void> {
    await this.#stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
