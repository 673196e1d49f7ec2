/**
 * The status page: plain files that talk to this interface alone. Its policy forbids
 * the browser everything else, also what a hostile file name might ask for.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { MailraftError, systemCode } from '../../../errors.ts';
import { textAnswer } from '../described.ts';
import type { HttpParts } from '../http-parts.ts';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  // The empty icon.
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const FILES = [
  { path: '/', name: 'index.html', type: 'text/html', operationId: 'page' },
  { path: '/status.js', name: 'status.js', type: 'text/javascript', operationId: 'pageScript' },
  { path: '/status.css', name: 'status.css', type: 'text/css', operationId: 'pageStyle' },
] as const;

export function pageRoutes(app: FastifyInstance, { webDirectory }: HttpParts): void {
  for (const { path, name, type, operationId } of FILES) {
    const response = { 200: textAnswer(`the file ${name}`, type) };
    const schema = { operationId, summary: 'Part of the status page.', response };
    app.get(path, { schema }, async (_, reply) => {
      const bytes = await read(join(webDirectory, name));
      return reply
        .header('content-security-policy', POLICY)
        .type(`${type}; charset=utf-8`)
        .send(bytes);
    });
  }
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    // The page is a convenience: a node goes on without it.
    if (systemCode(error) !== 'ENOENT') throw error;
    throw new MailraftError('NOT_FOUND', `the status page is not installed, no ${path}`);
  }
}
