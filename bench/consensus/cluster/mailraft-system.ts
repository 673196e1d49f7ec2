/** This project's consensus as a cluster of processes. */

import { fileURLToPath } from 'node:url';
import { productVersion } from '../../../src/platform/version.ts';
import type { ServerOptions } from '../server/server-options.ts';
import type { MemberProgram, System } from './cluster.ts';

const server = fileURLToPath(new URL('../server/main.js', import.meta.url));

const program: MemberProgram = ({ id, directory }, members, { electionMs }) => {
  const options: ServerOptions = { id, directory, members, electionMs };
  return { file: process.execPath, args: [server, JSON.stringify(options)] };
};

export const mailraft: System = { name: 'mailraft', version: productVersion(), program };
