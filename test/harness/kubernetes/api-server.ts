// SPDX-License-Identifier: Apache-2.0
/**
 * kube-apiserver and kube-controller-manager as processes: their flags, and when the API server is ready. control-plane.ts puts them together.
 */
import { request } from 'node:https';
import { join } from 'node:path';
import { waitFor } from '../wait.ts';
import type { Authority, KeyPair } from './certificates.ts';
import { etcdSocket } from './etcd.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { toolPath } from './tools.ts';

/** The Service network of the control plane, IPv4 first, both families. */
export const SERVICE_RANGES = ['10.96.0.0/16', 'fd00:96::/108'] as const;

/** What the servers of one control plane share. */
export interface PlaneFiles {
  readonly directory: string;
  readonly authority: Authority;
  /** The server's certificate; its key also signs the tokens of service accounts. */
  readonly server: KeyPair;
  /** A user of the group system:masters. */
  readonly admin: KeyPair;
}

/** How one API server differs from another. */
export interface ApiServerStart {
  readonly files: PlaneFiles;
  readonly port: number;
  /** Whether a Pod needs its ServiceAccount: only with the controller that makes the one called `default`. */
  readonly serviceAccounts: boolean;
  /** Further flags; they win. */
  readonly flags: readonly string[];
}

/** Starts an API server, without waiting for it. */
export function startApiServerProcess({ files, port, serviceAccounts, flags }: ApiServerStart): ServerProcess {
  const { directory, server, authority } = files;
  const issuer = 'https://kubernetes.default.svc';
  return startServer({
    command: toolPath('kube-apiserver'),
    args: [
      `--etcd-servers=unix://${etcdSocket(directory)}`,
      ...['--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', `--secure-port=${port}`],
      // A loopback address may not stand in Endpoints.
      '--endpoint-reconciler-type=none',
      ...[`--tls-cert-file=${server.certificateFile}`, `--tls-private-key-file=${server.keyFile}`],
      `--client-ca-file=${authority.certificateFile}`,
      ...[
        `--service-account-key-file=${server.certificateFile}`,
        `--service-account-signing-key-file=${server.keyFile}`,
      ],
      ...[`--service-account-issuer=${issuer}`, `--service-cluster-ip-range=${SERVICE_RANGES.join(',')}`],
      ...['--authorization-mode=RBAC', '--allow-privileged', '--profiling=false'],
      ...(serviceAccounts ? [] : ['--disable-admission-plugins=ServiceAccount']),
      // Its end in order waits for watches; tests that stop it mean it.
      '--shutdown-delay-duration=0s',
      ...flags,
    ],
    logFile: join(directory, 'kube-apiserver.log'),
  });
}

/** Starts a controller manager with some controllers, without waiting for it. */
export function startControllerManager(
  directory: string,
  kubeconfig: string,
  controllers: readonly string[],
): ServerProcess {
  return startServer({
    command: toolPath('kube-controller-manager'),
    args: [
      ...[`--kubeconfig=${kubeconfig}`, `--controllers=${controllers.join(',')}`],
      ...['--leader-elect=false', '--secure-port=0', '--kube-api-qps=500', '--kube-api-burst=1000'],
      ...['--concurrent-deployment-syncs=10', '--concurrent-replicaset-syncs=10', '--profiling=false'],
    ],
    logFile: join(directory, 'kube-controller-manager.log'),
  });
}

/** Resolves once the API server says that it is ready. @throws Error with the end of its log, when it ends or takes too long. */
export async function apiServerReady(server: ServerProcess, { files, port }: ApiServerStart): Promise<void> {
  try {
    await waitFor('the API server to be ready', () => isReady(server, files, port), 60_000);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${server.log()}`, { cause: error });
  }
}

function isReady(server: ServerProcess, { authority, admin }: PlaneFiles, port: number): Promise<boolean> {
  if (server.exitCode() !== undefined) throw new Error(`the API server ended with ${server.exitCode()}`);
  const { certificate: cert, key } = admin;
  return new Promise((resolve) => {
    const asked = request(
      { host: '127.0.0.1', port, path: '/readyz', ca: authority.certificate, cert, key, timeout: 2_000 },
      (answer) => {
        answer.resume();
        answer.once('close', () => resolve(answer.statusCode === 200));
      },
    );
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
    asked.end();
  });
}
