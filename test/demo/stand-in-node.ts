/**
 * Stands in for a node where the demo's own conduct is tested: it speaks the HTTP
 * interface, holds the shared address and runs the mail service, but reaches no
 * agreement. Primary is who can bind the shared port; files are copied to the folders of
 * the other two when a barrier asks for it; what a returning node alone has is salvaged.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';

interface Settings {
  readonly node: { readonly id: string };
  readonly members: readonly { readonly id: string }[];
  readonly http: { readonly listen: string; readonly tokenFile: string };
  readonly volumes: readonly [{ readonly path: string }];
  readonly service: { readonly start: readonly [string, ...string[]] };
  readonly address: readonly [{ readonly address: string; readonly to: string }];
}

const configFile = process.argv.at(-1) ?? '';
const settings = parse(readFileSync(configFile, 'utf8')) as Settings;
const self = settings.node.id;
const volume = settings.volumes[0].path;
const folder = dirname(dirname(configFile));
const others = settings.members.map(({ id }) => id).filter((id) => id !== self);
const preload = fileURLToPath(new URL('./ends-with-stdin.js', import.meta.url));
const run = promisify(execFile);

let shared: Server | undefined;
let service: ChildProcess | undefined;
let isServing = false;
let restUntilMs = 0;
const clients = new Set<Socket>();
const salvaged: { path: string; sha256: string }[] = [];

const portOf = (address: string): number => Number(address.split(':')[1]);
const volumeOf = (id: string): string => join(folder, id, 'mail');
const messagesOf = (id: string): string[] => {
  const path = join(volumeOf(id), 'new');
  return existsSync(path) ? readdirSync(path).sort() : [];
};

/** Tries to become primary: the kernel gives the port to one alone. */
async function claim(): Promise<void> {
  if (shared !== undefined || Date.now() < restUntilMs) return;
  const [{ address, to }] = settings.address;
  const server = createServer((client) => {
    const upstream = connect(portOf(to), '127.0.0.1');
    for (const socket of [client, upstream]) {
      clients.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(portOf(address), '127.0.0.1');
  const isHeld = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (!isHeld) return;
  shared = server;
  // The service of the one before ends when its daemon does, but takes a moment for it.
  setTimeout(startService, 200);
}

function startService(): void {
  if (shared === undefined) return;
  const [program, ...args] = settings.service.start;
  const child = spawn(program, [`--import=${preload}`, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  service = child;
  child.stdout.once('data', () => {
    void copyToOthers().then(() => {
      isServing = child.exitCode === null && child.signalCode === null;
    });
  });
  child.once('exit', () => {
    isServing = false;
    setTimeout(startService, 100);
  });
}

async function release(): Promise<void> {
  restUntilMs = Date.now() + 2_000;
  isServing = false;
  const server = shared;
  shared = undefined;
  const end = service === undefined ? undefined : once(service, 'exit');
  service?.kill('SIGTERM');
  await end;
  await copyToOthers();
  server?.close();
  for (const socket of clients) socket.destroy();
}

async function copyToOthers(): Promise<void> {
  const script =
    'mkdir -p "$1/tmp" "$1/new"; rm -f "$1"/tmp/*; cp -au new/. "$1/new/"; touch -r tmp "$1/tmp"; chmod --reference=tmp "$1/tmp"';
  for (const id of others) {
    await run('sh', ['-c', script, 'copy', volumeOf(id)], { cwd: volume });
  }
}

/** Takes away what nobody else has: the tail of a primary that died. */
function salvage(): void {
  const known = new Set(others.flatMap(messagesOf));
  const keep = join(folder, self, 'salvage');
  mkdirSync(keep, { recursive: true });
  for (const name of messagesOf(self).filter((each) => !known.has(each))) {
    const bytes = readFileSync(join(volume, 'new', name));
    salvaged.push({
      path: `new/${name}`,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    renameSync(join(volume, 'new', name), join(keep, name));
  }
}

function status(): object {
  const names = messagesOf(self);
  return {
    node: self,
    role: shared === undefined ? 'secondary' : 'primary',
    raft: { commitIndex: 0, appliedIndex: 0 },
    tenure: { phase: 'stand-in', waitsFor: null },
    volumes: [
      {
        name: 'mail',
        treeHash: createHash('sha256').update(names.join()).digest('hex'),
        treeHashIndex: names.length,
        dirty: 0,
        missing: 0,
      },
    ],
    warnings: [],
  };
}

async function answer(method: string, path: string): Promise<[number, unknown]> {
  if (path === '/status') return [200, status()];
  if (path === '/primary') return [isServing ? 200 : 503, {}];
  if (path === '/v1/salvage') return [200, [{ files: salvaged }]];
  if (method === 'POST' && !isServing) return [503, { code: 'NOT_LEADER' }];
  if (path === '/v1/barrier') await copyToOthers();
  else if (path === '/v1/switchover') await release();
  else return [404, {}];
  return [200, { state: 'done' }];
}

salvage();
writeFileSync(settings.http.tokenFile, 'token');
createHttpServer((request, response) => {
  void answer(request.method ?? '', request.url?.split('?')[0] ?? '').then(([code, body]) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
}).listen(portOf(settings.http.listen), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
// The first start of the three goes to the first member, as an origin has it.
setTimeout(() => setInterval(() => void claim(), 50), self === settings.members[0]?.id ? 0 : 1_000);
