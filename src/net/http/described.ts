/** How a route says what it answers, in the words of OpenAPI. */

import { type TSchema, Type } from '@sinclair/typebox';
import type { FastifySchema } from 'fastify';

/** An answer of a route; `content` is by media type. */
export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly schema: TSchema }>>;
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>;
}

/** What every route declares; errors are described once for all. */
export interface RouteSchema extends FastifySchema {
  readonly operationId: string;
  readonly summary: string;
  readonly response: Readonly<Record<number, Answer>>;
}

export function jsonAnswer(
  description: string,
  schema: TSchema,
  headers?: Answer['headers'],
): Answer {
  const content = { 'application/json': { schema } };
  return headers === undefined ? { description, content } : { description, headers, content };
}

export function textAnswer(description: string, mediaType = 'text/plain'): Answer {
  return { description, content: { [mediaType]: { schema: Type.String() } } };
}
