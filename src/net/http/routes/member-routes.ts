/** The members of the cluster, and how they are changed. */

import { Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { jsonAnswer, type RouteSchema } from '../described.ts';
import type { HttpParts } from '../http-parts.ts';
import type { MemberChangeRequest } from '../node-port.ts';
import { CLUSTER } from '../report-schemas.ts';
import { ANSWERS, answerWith, dryRun, mannerOf, strict, wait } from './operation-answer.ts';

const id = Type.String({
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
  maxLength: 63,
  description: 'name of the member',
});
const priority = Type.Integer({ minimum: 0, maximum: 1000 });
const yes = Type.Optional(
  Type.Unsafe<'true' | 'false'>({
    type: 'string',
    enum: ['true', 'false'],
    description: 'also where it lowers the safety of the cluster',
  }),
);
const querystring = Type.Object({ wait, dryRun, yes }, strict);
const params = Type.Object({ id }, strict);
const nothing = Type.Object({}, strict);

interface Asked {
  Querystring: {
    readonly wait?: string;
    readonly dryRun?: 'true' | 'false';
    readonly yes?: 'true' | 'false';
  };
}
interface AddAsked extends Asked {
  Body: {
    readonly id: string;
    readonly address?: string;
    readonly promote?: boolean;
    readonly priority?: number;
    readonly site?: string;
    readonly canBePrimary?: boolean;
  };
}
interface OneAsked extends Asked {
  Params: { readonly id: string };
}
interface PriorityAsked extends OneAsked {
  Body: { readonly priority: number };
}

const LIST: RouteSchema = {
  operationId: 'members',
  summary: 'The members, and how far each is.',
  response: { 200: jsonAnswer('as `/cluster`', CLUSTER) },
};
const ADD: RouteSchema = {
  operationId: 'memberAdd',
  summary: 'Adds a node as a learner, or takes one back that lost its data directory.',
  querystring,
  body: Type.Object(
    {
      id,
      address: Type.Optional(
        Type.String({ maxLength: 256, description: 'HOST:PORT where the members reach it' }),
      ),
      promote: Type.Optional(Type.Boolean({ description: 'with a vote, once it has caught up' })),
      priority: Type.Optional(priority),
      site: Type.Optional(Type.String({ maxLength: 64 })),
      canBePrimary: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
  response: ANSWERS,
};
const one = (operationId: string, summary: string): RouteSchema => ({
  operationId,
  summary,
  params,
  querystring,
  body: nothing,
  response: ANSWERS,
});
const ONES = [
  ['promote', one('memberPromote', 'Gives a learner a vote, if it has caught up.')],
  ['demote', one('memberDemote', 'Takes the vote of a member, which goes on as a learner.')],
  ['remove', one('memberRemove', 'Takes a member out; a primary hands over first.')],
] as const;
const REMOVE: RouteSchema = {
  operationId: 'memberDelete',
  summary: 'The same as `remove`.',
  params,
  querystring,
  response: ANSWERS,
};
const PRIORITY: RouteSchema = {
  operationId: 'memberPriority',
  summary: 'Changes how much a member is preferred as primary.',
  params,
  querystring,
  body: Type.Object({ priority }, strict),
  response: ANSWERS,
};

export function memberRoutes(app: FastifyInstance, parts: HttpParts): void {
  const { node, operations } = parts;
  const onRequest = parts.requireToken;
  const begin = (
    request: MemberChangeRequest,
    query: Asked['Querystring'],
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    const { isDryRun, waitMs } = mannerOf(query);
    const options = { isDryRun, isConfirmed: query.yes === 'true' };
    const kind = isDryRun ? 'memberChangeDryRun' : 'memberChange';
    const view = operations.begin(kind, (report) => node.changeMembers(request, options, report));
    return answerWith(reply, operations, { view, waitMs });
  };

  app.get('/v1/members', { schema: LIST }, () => node.cluster());
  app.post<AddAsked>('/v1/members', { schema: ADD, onRequest }, ({ body, query }, reply) => {
    const { promote, ...rest } = body;
    return begin({ kind: 'add', isPromoted: promote === true, ...rest }, query, reply);
  });
  for (const [kind, schema] of ONES) {
    const path = `/v1/members/:id/${kind}`;
    app.post<OneAsked>(path, { schema, onRequest }, ({ params: { id }, query }, reply) =>
      begin({ kind, id }, query, reply),
    );
  }
  app.delete<OneAsked>(
    '/v1/members/:id',
    { schema: REMOVE, onRequest },
    ({ params: { id }, query }, reply) => begin({ kind: 'remove', id }, query, reply),
  );
  app.post<PriorityAsked>(
    '/v1/members/:id/priority',
    { schema: PRIORITY, onRequest },
    ({ params: { id }, body, query }, reply) =>
      begin({ kind: 'priority', id, priority: body.priority }, query, reply),
  );
}
