/** A real HTTP server that answers as a node would, with what the test lets it report. */

import { type FastifyInstance, fastify } from 'fastify';
import type { Test } from 'tap';
import { clusterReport, statusReport } from './reports.ts';

export const TOKEN = 'a-token-of-the-test';

export interface FakeOperation {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly phases: readonly {
    readonly name: string;
    readonly ms: number;
    readonly progress?: string;
  }[];
  readonly result: unknown;
  readonly problem: unknown;
}

export interface FakeNode {
  readonly url: string;
  readonly app: FastifyInstance;
  /** What was asked, for instance `POST /v1/barrier?wait=10s`. */
  readonly asked: readonly string[];
  /** Ends the server and its connections; the test's teardown does it too. */
  stop(): Promise<void>;
}

export interface FakeNodeOptions {
  readonly status?: () => unknown;
  readonly cluster?: () => unknown;
  /** Adds routes, before the server listens. */
  readonly routes?: (app: FastifyInstance) => void;
}

export async function fakeNode(t: Test, options: FakeNodeOptions = {}): Promise<FakeNode> {
  const app = fastify({ forceCloseConnections: true });
  const asked: string[] = [];
  app.addHook('onRequest', async ({ method, url }) => {
    asked.push(`${method} ${url}`);
  });
  app.get('/status', async () => options.status?.() ?? statusReport());
  app.get('/cluster', async () => options.cluster?.() ?? clusterReport());
  options.routes?.(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const stop = (): Promise<void> => app.close();
  t.teardown(stop);
  return { url, app, asked, stop };
}

/** An answer that tells of an error, as nodes send it. */
export function problem(status: number, code: string, detail: string): object {
  return { type: `urn:mailraft:problem:${code}`, title: 'a title', status, detail, code };
}

export function operation(changes: Partial<FakeOperation> = {}): FakeOperation {
  return { id: 'op-1', state: 'running', phases: [], result: null, problem: null, ...changes };
}
