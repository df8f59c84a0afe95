// SPDX-License-Identifier: Apache-2.0
/** A server that speaks just enough RESP to claim to be some Redis: it answers INFO and ROLE as told, and OK to everything else. */
import { createServer, type Socket } from 'node:net';

export interface FakeRedis {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startFakeRedis(facts: { readonly info: string; readonly role: string }): Promise<FakeRedis> {
  const sockets = new Set<Socket>();
  const answers: Readonly<Record<string, string>> = {
    info: bulk(facts.info),
    role: `*3\r\n${bulk(facts.role)}:0\r\n*0\r\n`,
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const name of commandNames(chunk.toString('latin1'))) socket.write(answers[name] ?? '+OK\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `redis://127.0.0.1:${address.port}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The first word of each command; a test's commands come whole. */
function commandNames(text: string): string[] {
  return [...text.matchAll(/\*\d+\r\n\$\d+\r\n([^\r]*)\r\n/g)].map((match) => (match[1] ?? '').toLowerCase());
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
