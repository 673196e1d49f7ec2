/** Print forms that are easily wrong: quotes, names of nodes, sizes. */

import t from 'tap';
import { encodeConfigChange } from '../../src/consensus/core/membership/change.ts';
import { barChart } from './bar-chart.ts';
import { describeEntry, describeMessage, FIRST_FORM } from './describe.ts';
import { entryBytes } from './entry-bytes.ts';
import { decimal, hexadecimal, nodeId } from './node-ids.ts';
import { quoted } from './quoted.ts';
import { wireMessage } from './wire-message.ts';

t.test('data is quoted so that every byte can be told', async (t) => {
  const cases: readonly (readonly [string | readonly number[], string])[] = [
    ['plain text', '"plain text"'],
    ['say "a\\b"', '"say \\"a\\\\b\\""'],
    ['\t\n\r\u0007\b\v\f', '"\\t\\n\\r\\a\\b\\v\\f"'],
    ['日本 ü 😀', '"日本 ü 😀"'],
    ['\u0001\u007f', '"\\x01\\x7f"'],
    ['\u00a0\u200b\u{e0001}', '"\\u00a0\\u200b\\U000e0001"'],
    ['\ufeff\ufffd', '"\\ufeff\ufffd"'],
    [[0xff, 0x41, 0xe6, 0x97], '"\\xffA\\xe6\\x97"'],
    [[0xed, 0xa0, 0x80], '"\\xed\\xa0\\x80"'],
  ];
  for (const [data, expected] of cases) {
    const bytes = typeof data === 'string' ? Buffer.from(data) : Uint8Array.from(data);
    t.equal(quoted(bytes), expected);
  }
});

t.test('nodes are ordered as numbers, and printed in both bases', async (t) => {
  const ids = [10, 9, 255, 1].map(nodeId).sort();
  t.same(ids.map(decimal), ['1', '9', '10', '255']);
  t.same(ids.map(hexadecimal), ['1', '9', 'a', 'ff']);
  t.equal(hexadecimal(nodeId(0)), 'None');
  t.equal(decimal(nodeId('18446744073709551615')), '18446744073709551615');
});

t.test('an entry is printed with its kind, and a change with its form', async (t) => {
  const at = { term: 2, index: 7 };
  const change = { changes: [{ kind: 'addVoter', id: nodeId(3) }], transition: 'auto' } as const;
  const first = encodeConfigChange({ ...change, context: FIRST_FORM });
  const second = encodeConfigChange({ ...change, context: '' });
  const none = new Uint8Array(0);
  t.equal(describeEntry({ ...at, kind: 'noop', data: none }), '2/7 EntryNormal ""');
  t.equal(describeEntry({ ...at, kind: 'config', data: first }), '2/7 EntryConfChange v3');
  t.equal(describeEntry({ ...at, kind: 'config', data: second }), '2/7 EntryConfChangeV2 v3');
  t.equal(describeEntry({ ...at, kind: 'config', data: none }), '2/7 EntryConfChangeV2');
});

t.test('a message with several entries has a line for each', async (t) => {
  const entries = ['a', 'b'].map((text, at) => {
    return { term: 1, index: 4 + at, kind: 'command', data: Buffer.from(text) } as const;
  });
  const [from, to] = [nodeId(1), nodeId(16)];
  const places = { prevIndex: 3, prevTerm: 1, commit: 0 };
  const message = wireMessage({ type: 'append', from, to, term: 1, ...places, entries });
  t.same(describeMessage(message, '  '), [
    '  1->10 MsgApp Term:1 Log:1/3 Entries:[',
    '    1/4 EntryNormal "a"',
    '    1/5 EntryNormal "b"',
    '  ]',
  ]);
});

t.test('equal bars are equally long', async (t) => {
  const ids = [1, 2, 3].map(nodeId);
  const reached = new Map(ids.map((id, at) => [id, at === 0 ? 5 : 7]));
  t.same(barChart(ids, reached), [
    '       idx',
    '>        5    (id=1)',
    'x>       7    (id=2)',
    'x>       7    (id=3)',
  ]);
});

t.test('an entry is as large as its encoding, never nothing', async (t) => {
  const at = { term: 1, index: 200 };
  t.equal(entryBytes({ ...at, kind: 'noop', data: new Uint8Array(0) }), 2 + 2 + 3);
  t.equal(entryBytes({ ...at, kind: 'command', data: Buffer.from('foo') }), 7 + 2 + 3);
  const [one, two] = [nodeId(3), nodeId(300)];
  const change = (ids: readonly string[], context: string) =>
    encodeConfigChange({
      changes: ids.map((id) => ({ kind: 'addVoter', id })),
      transition: 'auto',
      context,
    });
  // Kind and node of each; before them the transition, or an empty id.
  t.equal(entryBytes({ ...at, kind: 'config', data: change([one], FIRST_FORM) }), 7 + 2 + 6);
  t.equal(entryBytes({ ...at, kind: 'config', data: change([one, two], '') }), 7 + 2 + 2 + 6 + 7);
});
