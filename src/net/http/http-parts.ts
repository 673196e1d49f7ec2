/** What routes are built of. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { EventStream } from './event-stream.ts';
import type { NodeMetrics } from './metrics.ts';
import type { NodePort } from './node-port.ts';
import type { Operations } from './operations.ts';

export interface HttpParts {
  readonly node: NodePort;
  readonly metrics: NodeMetrics;
  readonly operations: Operations;
  readonly events: EventStream;
  /** Folder of the status page. */
  readonly webDirectory: string;
  /** A hook that lets only those pass who send the token. */
  readonly requireToken: (request: FastifyRequest) => Promise<void>;
}

/** Declares some routes. */
export type Routes = (app: FastifyInstance, parts: HttpParts) => void;
