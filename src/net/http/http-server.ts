/**
 * The HTTP interface of a node: everything that a person, a balancer, a monitor or
 * the command line gets to see of it, or may ask of it.
 *
 * It holds no state of the node. What changes something needs the token; a request
 * that is not wholly understood is refused.
 */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Type } from '@sinclair/typebox';
import fastify, { type FastifyInstance } from 'fastify';
import type { Endpoint } from '../../config/config.ts';
import { MailraftError, messageOf } from '../../errors.ts';
import { tokenGuard } from './bearer-token.ts';
import { jsonAnswer, type RouteSchema } from './described.ts';
import { EventStream, type NodeEvent } from './event-stream.ts';
import type { HttpParts, Routes } from './http-parts.ts';
import type { NodeMetrics } from './metrics.ts';
import type { NodePort } from './node-port.ts';
import { OpenApi } from './openapi.ts';
import { Operations } from './operations.ts';
import { problemOf, sendProblem } from './problem.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { memberRoutes } from './routes/member-routes.ts';
import { operationRoutes } from './routes/operation-routes.ts';
import { pageRoutes } from './routes/page-routes.ts';
import { reportRoutes } from './routes/report-routes.ts';
import { roleRoutes } from './routes/role-routes.ts';

export interface HttpServerOptions {
  /** Port 0 takes a free one. */
  readonly listen: Endpoint;
  readonly token: string;
  readonly node: NodePort;
  readonly metrics: NodeMetrics;
  /** Folder of the status page; default: `web` of the package. */
  readonly webDirectory?: string;
}

const BODY_BYTES_MAX = 64 * 1024;
const CONNECTIONS_MAX = 2048;
/** A request must have arrived within this time. */
const RECEIVE_MS_MAX = 10_000;

const ROUTES: readonly Routes[] = [
  roleRoutes,
  healthRoutes,
  reportRoutes,
  eventRoutes,
  operationRoutes,
  memberRoutes,
  pageRoutes,
];

const OPENAPI: RouteSchema = {
  operationId: 'openapi',
  summary: 'This description.',
  response: { 200: jsonAnswer('OpenAPI 3.1', Type.Object({})) },
};

export class HttpServer {
  readonly app: FastifyInstance;
  readonly #listen: Endpoint;
  readonly #events = new EventStream();
  readonly #operations = new Operations();

  constructor({ listen, token, node, metrics, webDirectory }: HttpServerOptions) {
    this.#listen = listen;
    this.app = makeApp();
    const openApi = new OpenApi();
    this.app.addHook('onRoute', (route) => openApi.add(route));
    const parts: HttpParts = {
      node,
      metrics,
      operations: this.#operations,
      events: this.#events,
      webDirectory: webDirectory ?? packageFolder('web'),
      requireToken: tokenGuard(token),
    };
    for (const declare of ROUTES) declare(this.app, parts);
    this.app.get('/openapi.json', { schema: OPENAPI }, () =>
      openApi.document(node.status().version),
    );
  }

  /** The port that is listened on; 0 before `start`. */
  get port(): number {
    const address = this.app.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** @throws CONFIG_INVALID when the address can not be listened on */
  async start(): Promise<void> {
    const { host, port } = this.#listen;
    try {
      await this.app.listen({ host, port });
    } catch (error) {
      const reason = messageOf(error);
      throw new MailraftError('CONFIG_INVALID', `http.listen can not be used: ${reason}`);
    }
  }

  /** Tells everyone who listens to `/events`. */
  publish(event: NodeEvent): void {
    this.#events.publish(event);
  }

  /** Ends every connection; who waits for an operation is told that it is under way. */
  async close(): Promise<void> {
    this.#events.close();
    this.#operations.close();
    await this.app.close();
  }
}

function makeApp(): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: RECEIVE_MS_MAX,
    forceCloseConnections: true,
    // What is not understood is refused, not mended.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    // Also for what goes wrong before there is a route.
    frameworkErrors: (error, _, reply) => {
      sendProblem(reply, problemOf(error));
    },
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  // Reports are sent as they are; schemas describe them.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error, _, reply) => sendProblem(reply, problemOf(error)));
  app.setNotFoundHandler(({ method, url }, reply) => {
    const text = `no route ${method} ${JSON.stringify(url)}, see /openapi.json`;
    return sendProblem(reply, problemOf(new MailraftError('NOT_FOUND', text)));
  });
  app.addHook('onRequest', async (_, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });
  acceptBodies(app);
  return app;
}

/** A body is JSON or empty; empty is as good as an object without keys. */
function acceptBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body.toString(), done);
  });
  app.addHook('preValidation', async (request) => {
    if (request.method === 'POST' && request.body === undefined) request.body = {};
  });
}

/** A folder of the package that this file belongs to, wherever it was compiled to. */
function packageFolder(name: string): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) {
    folder = dirname(folder);
  }
  return join(folder, name);
}
