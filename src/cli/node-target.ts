/**
 * Which node a verb talks to, and the token that it shows. A token goes only to
 * the node it was meant for: one that merely lies in the working folder is not
 * sent to an address that was given by hand.
 */

import { readFile } from 'node:fs/promises';
import type { Config, Endpoint } from '../config/config.ts';
import { MailraftError, messageOf } from '../errors.ts';
import { findConfigFile, readConfig } from './configuration.ts';
import type { GlobalOptions } from './verb.ts';

const DEFAULT_URL = 'http://127.0.0.1:7480';
/** Where a node listens everywhere, the nearest of its addresses answers. */
const LOOPBACK: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

export interface NodeTarget {
  /** Ends with a slash. */
  readonly url: URL;
  /** Read only for calls that need it; undefined when no file is known. */
  readonly token: () => Promise<string | undefined>;
}

/** @param read replaces the reading of the configuration in tests */
export async function findTarget(
  options: Pick<GlobalOptions, 'config' | 'url' | 'tokenFile'>,
  read: (file: string) => Promise<Config> = readConfig,
): Promise<NodeTarget> {
  const file = options.url === undefined ? findConfigFile(options) : options.config;
  let config: Promise<Config> | undefined;
  const configured = async (): Promise<Config | undefined> => {
    if (file === undefined) return undefined;
    config ??= read(file);
    return await config;
  };
  const url = options.url ?? urlOf((await configured())?.http.listen);
  const token = async (): Promise<string | undefined> => {
    const tokenFile = options.tokenFile ?? (await configured())?.http.tokenFile;
    return tokenFile === undefined ? undefined : await readToken(tokenFile);
  };
  return { url: parseUrl(url), token };
}

function urlOf(listen: Endpoint | undefined): string {
  if (listen === undefined) return DEFAULT_URL;
  const host = LOOPBACK.get(listen.host) ?? listen.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new MailraftError(
      'USAGE',
      `--url ${JSON.stringify(text)} is no address of a node: accepted is for instance "${DEFAULT_URL}"`,
    );
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

async function readToken(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new MailraftError('USAGE', `the token file can not be read: ${messageOf(error)}`, {
      cause: undefined,
    });
  }
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new MailraftError(
    'USAGE',
    `${JSON.stringify(file)} holds no token: found is not one line of text`,
  );
}
