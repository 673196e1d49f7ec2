/** The command line of the example mail server: four settings, each checked before anything opens. */

import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system choose; the chosen one is in the ready line. */
  readonly port: number;
}

export interface MailServerOptions {
  /** Directory that holds `tmp/` and `new/`. */
  readonly store: string;
  readonly smtp: ListenAddress;
  readonly pop3: ListenAddress;
  /** Name of this machine in banners and file names; letters, digits, dots and dashes. */
  readonly name: string;
}

export const USAGE = 'usage: server.js --store DIR --smtp HOST:PORT --pop3 HOST:PORT [--name NAME]';

/** File names carry the name, and POP3 allows 70 characters for the whole of one. */
const NAME_CHARACTERS_MAX = 24;
const PORT_MAX = 65_535;

/** Reads the arguments after the program's own name; throws with a text for the operator. */
export function parseArguments(argv: readonly string[]): MailServerOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      store: { type: 'string' },
      smtp: { type: 'string' },
      pop3: { type: 'string' },
      name: { type: 'string' },
    },
  });
  const { store, smtp, pop3, name = hostname() } = values;
  if (store === undefined || smtp === undefined || pop3 === undefined) {
    throw new Error('--store, --smtp and --pop3 are required');
  }
  return {
    store: resolve(store),
    smtp: parseAddress('--smtp', smtp),
    pop3: parseAddress('--pop3', pop3),
    name: name.replaceAll(/[^A-Za-z0-9.-]/g, '-').slice(0, NAME_CHARACTERS_MAX),
  };
}

/** `HOST:PORT`, with an IPv6 address in brackets. */
function parseAddress(option: string, text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= PORT_MAX)) {
    throw new Error(`${option} wants HOST:PORT, found ${JSON.stringify(text)}`);
  }
  return { host, port };
}
