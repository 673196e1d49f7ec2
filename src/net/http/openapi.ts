/**
 * The OpenAPI 3.1 document of the interface, written from the routes that are
 * really there: what a route does not declare, the document can not say.
 */

import type { RouteOptions } from 'fastify';
import type { Answer, RouteSchema } from './described.ts';
import { PROBLEM } from './report-schemas.ts';

interface ObjectSchema {
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
  readonly required?: readonly string[];
}

type Operation = Readonly<Record<string, unknown>>;

/** Gathers the routes of a server as they are declared. */
export class OpenApi {
  readonly #paths: Record<string, Record<string, Operation>> = {};

  /** Takes a route; a hook for `onRoute`. */
  add({ method, url, schema }: RouteOptions): void {
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    for (const verb of [method].flat()) {
      this.#paths[path] ??= {};
      this.#paths[path][verb.toLowerCase()] = operationOf(verb, schema as RouteSchema);
    }
  }

  document(version: string): unknown {
    return {
      openapi: '3.1.0',
      info: {
        title: 'mailraft',
        version,
        description:
          'One node of a mailraft cluster: what it knows, and what it can be asked to do.',
      },
      paths: this.#paths,
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
        responses: {
          Problem: {
            description: 'the request failed; `code` says why',
            content: { 'application/problem+json': { schema: PROBLEM } },
          },
        },
      },
    };
  }
}

function operationOf(verb: string, schema: RouteSchema): Operation {
  const { operationId, summary, body, response } = schema;
  const parameters = [
    ...parametersIn('path', schema.params as ObjectSchema | undefined),
    ...parametersIn('query', schema.querystring as ObjectSchema | undefined),
  ];
  const isHead = verb === 'HEAD';
  return {
    operationId: isHead ? `${operationId}Head` : operationId,
    summary,
    ...(verb === 'POST' || verb === 'DELETE' ? { security: [{ token: [] }] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined ? {} : { requestBody: requestBodyOf(body) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(response).map(([status, answer]) => [
          status,
          isHead ? withoutContent(answer) : answer,
        ]),
      ),
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function parametersIn(place: 'path' | 'query', schema: ObjectSchema | undefined): Operation[] {
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: schema?.required?.includes(name) ?? false,
    description: property.description,
    schema: property,
  }));
}

function requestBodyOf(schema: unknown): Operation {
  return { required: false, content: { 'application/json': { schema } } };
}

function withoutContent({ content: _, ...answer }: Answer): Omit<Answer, 'content'> {
  return answer;
}
