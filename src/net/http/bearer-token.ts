/** Lets only those change something who know the token. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { MailraftError } from '../../errors.ts';

/** A hook for routes that change something; it runs before the body is read. */
export function tokenGuard(token: string): (request: FastifyRequest) => Promise<void> {
  const expected = digestOf(token);
  return async ({ headers }) => {
    const [, given] = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    if (given === undefined) {
      throw new MailraftError('UNAUTHORIZED', 'no bearer token, send that of the token file');
    }
    // Digests are of one length, so that the time tells nothing of the token.
    if (!timingSafeEqual(digestOf(given), expected)) {
      throw new MailraftError('UNAUTHORIZED', 'this is not the token of the token file');
    }
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
