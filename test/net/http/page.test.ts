/** The status page: served under a strict policy, and it shows what the node says. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HttpServer } from '../../../src/net/http/http-server.ts';
import { NodeMetrics } from '../../../src/net/http/metrics.ts';
import { scratch } from '../../support/scratch.ts';
import { CLUSTER, FakeNode, SNAPSHOT, STATUS, serve, serveOnPort, TOKEN } from './fake-node.ts';

t.test('the page is served with its types and a policy that forbids all else', async (t) => {
  const { server } = serve(t);
  for (const [url, type] of [
    ['/', 'text/html; charset=utf-8'],
    ['/status.js', 'text/javascript; charset=utf-8'],
    ['/status.css', 'text/css; charset=utf-8'],
  ] as const) {
    const { statusCode, headers, body } = await server.app.inject(url);
    t.equal(statusCode, 200, url);
    t.equal(headers['content-type'], type);
    t.equal(headers['x-content-type-options'], 'nosniff');
    t.match(headers['content-security-policy'], /^default-src 'none'; script-src 'self';/);
    t.notMatch(headers['content-security-policy'], /unsafe|\*|https?:/);
    t.notMatch(body, /https?:|\/\/[a-z]/i, 'nothing comes from elsewhere');
    t.notMatch(body, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
  }
  const { body } = await server.app.inject('/');
  t.notMatch(body, /<script(?![^>]* src=)|<style| on[a-z]+=| style=/, 'nothing is inline');
});

t.test('a node without the page is a node all the same', async (t) => {
  const { path } = scratch(t);
  const webDirectory = join(path, 'web');
  mkdirSync(webDirectory);
  const server = new HttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    token: TOKEN,
    node: new FakeNode(),
    metrics: new NodeMetrics(() => SNAPSHOT),
    webDirectory,
  });
  t.teardown(() => server.close());
  const { statusCode, json } = await server.app.inject('/');
  t.equal(statusCode, 404);
  t.match(json(), { code: 'NOT_FOUND', detail: /not installed/ });
  t.equal((await server.app.inject('/status')).statusCode, 200);
});

const BROWSER = (process.env['PATH'] ?? '')
  .split(':')
  .map((folder) => join(folder, 'chromium'))
  .find(isProgram);
const browser = { skip: BROWSER === undefined && 'chromium is not installed', timeout: 60_000 };

t.test(
  'in a browser it shows the node, and markup in its words as words',
  { ...browser },
  async (t) => {
    const { node, url } = await serveOnPort(t);
    const hostile = '<img src=x onerror="document.title=1">&amp;';
    node.statusReport = {
      ...STATUS,
      salvage: { count: 1_150 },
      warnings: [hostile],
      tenure: { ...STATUS.tenure, expiresInMs: 3_600_000 },
    };
    const [first, ...others] = CLUSTER.members;
    node.clusterReport = {
      ...CLUSTER,
      members: [...(first ? [{ ...first, site: hostile }] : []), ...others],
    };
    const page = await rendered(t, url, 2_500);

    t.match(page, '<strong>mail1</strong> is primary');
    t.match(page, '1,150 files in salvage');
    t.match(page, 'no: does not answer');
    t.match(page, 's unless renewed');
    t.match(page, STATUS.volumes[0]?.treeHash);
    t.match(page, 'mail2 → mail1');
    t.match(page, 'arming 41&nbsp;ms');
    t.equal(page.split('&lt;img src=x onerror').length - 1, 2, 'both are shown as text');
    t.notMatch(page, '<img');
    t.match(page, /<p id="unreachable"[^>]* hidden=""/);
  },
);

t.test('in a browser it says when the node is not there any more', { ...browser }, async (t) => {
  const { node, url } = await serveOnPort(t);
  let asked = 0;
  node.history = () => {
    asked += 1;
    if (asked > 2) throw new Error('gone');
    return [];
  };
  const page = await rendered(t, url, 6_000);
  t.match(page, /<p id="unreachable"[^>]*>This node can not be reached[^<]* stale since /);
  t.notMatch(page, /<p id="unreachable"[^>]* hidden/);
  t.match(page, /<body class="stale"/);
  t.match(page, /<title>mail1: stale/);
  t.match(page, 'is primary', 'what it said last is still there');
});

t.test('in a browser it says that there is no primary', { ...browser }, async (t) => {
  const { node, url } = await serveOnPort(t);
  node.clusterReport = { ...CLUSTER, primary: null, leader: null };
  node.historyEntries = [];
  const page = await rendered(t, url, 1_500);
  t.match(page, /<section id="verdict" class="verdict bad"/);
  t.match(page, 'No primary');
  t.match(page, 'nothing happened yet');
});

t.test('colours keep their contrast, light and dark', async (t) => {
  const style = readFileSync(join(projectFolder(), 'web', 'status.css'), 'utf8');
  const [light = '', dark = ''] = style.split('@media (prefers-color-scheme: dark)');
  for (const [name, rules] of [
    ['light', light],
    ['dark', dark],
  ] as const) {
    const colour = (token: string) =>
      new RegExp(`--${token}: (#[0-9a-f]{6})`).exec(rules)?.[1] ?? '';
    const pairs: [string, string][] = [];
    for (const tone of ['good', 'warn', 'bad', 'plain']) pairs.push([tone, `${tone}-paper`]);
    for (const tone of ['good', 'warn', 'bad', 'text', 'quiet', 'link']) {
      pairs.push([tone, 'paper'], [tone, 'page']);
    }
    pairs.push(['text', 'good-paper'], ['text', 'bad-paper']);
    for (const [text, paper] of pairs) {
      const ratio = contrast(colour(text), colour(paper));
      t.ok(ratio >= 4.5, `${name}: ${text} on ${paper} is ${ratio.toFixed(1)}`);
    }
  }
});

/** The document as it stands when so much of the page's time has passed. */
async function rendered(t: Test, url: string, pageMs: number): Promise<string> {
  const { path, onClose } = scratch(t);
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--user-data-dir=${path}`,
    `--virtual-time-budget=${pageMs}`,
    '--dump-dom',
  ];
  const child = spawn(BROWSER ?? '', [...flags, url], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exit = once(child, 'exit');
  onClose(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  let page = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    page += chunk;
  });
  await Promise.all([exit, once(child.stdout, 'close')]);
  return page;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Contrast of two colours, by the formula of WCAG 2. */
function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Tests run from `build`, beside which the project's other files are. */
function projectFolder(): string {
  return new URL('../../../../', import.meta.url).pathname;
}
