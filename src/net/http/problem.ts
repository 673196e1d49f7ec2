/**
 * What a caller is told when a request fails: a problem document (RFC 9457) with
 * the code of the error, and one table from code to HTTP status.
 */

import type { FastifyError, FastifyReply } from 'fastify';
import { type ErrorCode, isMailraftError, messageOf } from '../../errors.ts';

/** A problem as it is sent; `operation` names the operation that failed, if one did. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly operation?: string;
}

/** HTTP status and title of each code. */
const PROBLEMS: Readonly<Record<ErrorCode, readonly [status: number, title: string]>> = {
  CONFIG_INVALID: [500, 'the configuration is not valid'],
  USAGE: [400, 'the request is not valid'],
  NOT_LEADER: [503, 'another node leads'],
  NO_QUORUM: [503, 'no node leads a majority'],
  PRECONDITION_FAILED: [409, 'a condition of the request does not hold'],
  REFUSED: [403, 'a safety check forbids the request'],
  TIMED_OUT: [504, 'the outcome is not known in time'],
  UNAUTHORIZED: [401, 'the bearer token is missing or wrong'],
  NOT_FOUND: [404, 'what was asked for does not exist'],
  OVERLOADED: [429, 'too much work is waiting'],
  FRAME_INVALID: [502, 'a peer sent what is not a frame'],
  PEER_REFUSED: [502, 'a peer was refused'],
  DATA_INVALID: [502, 'data has a shape that is not accepted'],
  DATA_DAMAGED: [500, 'stored bytes are damaged'],
  NO_SPACE: [507, 'no space is left'],
  STORAGE_FAILED: [500, 'the disk failed'],
  SERVICE_FAILED: [500, 'the service, an address or the guardian failed'],
  INVARIANT: [500, 'a bug was found'],
};

/** Where a caller that is turned away may come back, in seconds. */
const RETRY_AFTER_SECONDS = 1;
const PROBLEM_TYPE = 'application/problem+json';

/** The problem that tells of any thrown value. */
export function problemOf(error: unknown): Problem {
  if (isMailraftError(error)) return problem(error.code, messageOf(error));
  const status = requestFaultOf(error);
  if (status === undefined) return problem('INVARIANT', messageOf(error));
  return { ...problem('USAGE', requestDetailOf(error as FastifyError)), status };
}

/** Answers with a problem, and with the headers that go with its status. */
export function sendProblem(reply: FastifyReply, told: Problem): FastifyReply {
  if (told.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer realm="mailraft"');
  if (told.code === 'OVERLOADED') reply.header('retry-after', RETRY_AFTER_SECONDS);
  // As text: a route's own type must not win over that of the problem.
  return reply.code(told.status).type(PROBLEM_TYPE).send(JSON.stringify(told));
}

function problem(code: ErrorCode, detail: string): Problem {
  const [status, title] = PROBLEMS[code];
  return { type: `urn:mailraft:problem:${code}`, title, status, detail, code };
}

/** The status of a request that the server itself found wrong: bad JSON, too long, ... */
function requestFaultOf(error: unknown): number | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function requestDetailOf(error: FastifyError): string {
  const fault = error.validation?.[0];
  if (fault === undefined) return lowerFirst(error.message);
  const { keyword, params, instancePath, message } = fault;
  const where = `${error.validationContext ?? 'request'}${instancePath}`;
  if (keyword !== 'additionalProperties') return `${where} ${message}`;
  return `${where} has an unknown key ${JSON.stringify(params['additionalProperty'])}, see /openapi.json`;
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}
