/** What the lab needs is found by trying; what is missing is named. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { enterLab } from './enter-lab.ts';
import { builtProgram } from './project-files.ts';
import { asRootOfUserNamespace, canBlockOneWay, canRun, type Requirement } from './requirements.ts';

/** Runs `look` where only these commands exist, some of them as scripts. */
function withCommands(
  t: Test,
  commands: Readonly<Record<string, string>>,
  look: () => Requirement,
): Requirement {
  const folder = t.testdir();
  for (const [name, script] of Object.entries(commands)) {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
  const path = process.env['PATH'];
  process.env['PATH'] = folder;
  try {
    return look();
  } finally {
    process.env['PATH'] = path;
  }
}

const works = { ip: 'exit 0', nsenter: 'exit 0', setpriv: 'exit 0', env: 'exit 0' };

t.test('a missing command is named', async (t) => {
  t.same(withCommands(t, {}, canRun), { ok: false, reason: 'the command "ip" is missing' });
  const noNft = withCommands(t, { ...works, unshare: 'exit 0' }, canBlockOneWay);
  t.same(noNft, { ok: false, reason: 'the command "nft" is missing' });
});

t.test('an old env is named', async (t) => {
  const answer = withCommands(t, { ...works, unshare: 'exit 0', env: 'exit 125' }, canRun);
  t.match(answer, { ok: false, reason: /coreutils/ });
});

t.test('what is forbidden is found by trying', async (t) => {
  const onlyVersion = '[ "$1" = --version ]';
  t.match(withCommands(t, { ...works, unshare: onlyVersion }, canRun), {
    ok: false,
    reason: 'neither root nor user namespaces are allowed here',
  });
  const onlyUser = '[ "$1" = --version ] || [ "$1" = -Ur ]';
  t.match(withCommands(t, { ...works, unshare: onlyUser }, canRun), { reason: /no bridge/ });
  const asUser = '[ "$1" = --version ] || [ "$1" = -Urnm ]';
  t.same(withCommands(t, { ...works, unshare: asUser }, canRun), {
    ok: true,
    needsUserNamespace: true,
  });
  t.same(withCommands(t, { ...works, unshare: 'exit 0' }, canRun), {
    ok: true,
    needsUserNamespace: false,
  });
});

/** Any other user will do; this one is nobody. */
const NOBODY = 65_534;

/** The compiled lab and a place to work, where any user may read and nobody may write. */
function labOfNobody(t: Test): { readonly folder: string; readonly work: string } {
  const folder = mkdtempSync(join(tmpdir(), 'mailraft-lab-nobody-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const built = dirname(builtProgram('test/lab/network.ts'));
  for (const name of readdirSync(built).filter((file) => file.endsWith('.js'))) {
    copyFileSync(join(built, name), join(folder, name));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const work = join(folder, 'work');
  mkdirSync(work);
  chownSync(work, NOBODY, NOBODY);
  chmodSync(folder, 0o755);
  return { folder, work };
}

const SCRIPT = `
import { LabNetwork } from './network.js';
import { canRun } from './requirements.js';
if (process.argv[2] === 'ask') {
  console.log(JSON.stringify(canRun()));
} else {
  const network = await LabNetwork.up({ nodes: 1 });
  try {
    console.log(await network.run('n1', ['hostname']));
  } finally {
    await network.down();
  }
}
`;

if (await enterLab(t, import.meta.filename)) {
  const users = Number(readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)[2]);
  const onlyRoot = users > NOBODY ? {} : { skip: 'this run has no privilege and is the proof' };
  t.test('without any privilege a user namespace carries the lab', onlyRoot, async (t) => {
    const { folder, work } = labOfNobody(t);
    writeFileSync(join(folder, 'script.js'), SCRIPT);
    const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
    const asNobody = (argv: readonly string[]): string =>
      execFileSync('setpriv', [...ids, '--', ...argv], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], TMPDIR: work, HOME: work },
      }).trim();
    const node = [process.execPath, join(folder, 'script.js')];
    const answer = JSON.parse(asNobody([...node, 'ask'])) as Requirement;
    if (!answer.ok) {
      t.pass('only root may make namespaces here', { skip: answer.reason });
      return;
    }
    t.same(answer, { ok: true, needsUserNamespace: true });
    t.throws(() => asNobody([...node, 'build']), 'it may not do it by itself');
    t.equal(asNobody(asRootOfUserNamespace([...node, 'build'])), 'n1');
    t.same(readdirSync(work), [], 'and nothing is left');
  });
}
