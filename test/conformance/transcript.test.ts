/** The grammar of transcripts. */

import t from 'tap';
import { GrammarError, isTranscript, parseDirective, parseTranscript } from './transcript.ts';

t.test('a case is a directive, its input and what it printed up to a blank line', async (t) => {
  const [first, second, ...others] = parseTranscript(`# a comment

one 1 key=value
input

more input
----
printed
  and indented

# another comment
two
----
`);
  t.match(first, {
    line: 3,
    text: 'one 1 key=value',
    verb: 'one',
    input: 'input\n\nmore input',
    expected: ['printed', '  and indented'],
  });
  t.match(second, { line: 12, verb: 'two', input: '', expected: [] });
  t.same(others, []);
});

t.test(
  'a comment may stand right before a directive, and be none in what was printed',
  async (t) => {
    const cases = parseTranscript('one\n----\n# printed\n\n# not\ntwo\n----\nok\n');
    t.same(
      cases.map(({ expected }) => expected),
      [['# printed'], ['ok']],
    );
  },
);

t.test('a backslash continues a directive', async (t) => {
  const [only] = parseTranscript('one a \\\n  b=(1, \\\n 2)\n----\nok\n');
  t.match(only, { line: 1, expected: ['ok'] });
  t.same(only?.args, [
    { key: 'a', values: [] },
    { key: 'b', values: ['1', '2'] },
  ]);
});

t.test('what was printed may hold blank lines between doubled separators', async (t) => {
  const text = 'one\n----\n----\na\n\n----\nb\n----\n----\n\ntwo\n----\nok\n';
  t.same(
    parseTranscript(text).map(({ expected }) => expected),
    [['a', '', '----', 'b'], ['ok']],
  );
});

t.test('a subtest has neither input nor output', async (t) => {
  const verbs = parseTranscript('subtest a\n\none\n----\nok\n\nsubtest end\n').map(
    ({ verb }) => verb,
  );
  t.same(verbs, ['subtest', 'one', 'subtest']);
});

t.test('arguments are words, one value, or several in parentheses that may nest', async (t) => {
  const { verb, args } = parseDirective('go a b= c=x,y d=(1, 2 ,(3,4)) e=()', 1);
  t.equal(verb, 'go');
  t.same(args, [
    { key: 'a', values: [] },
    { key: 'b', values: [''] },
    { key: 'c', values: ['x,y'] },
    { key: 'd', values: ['1', '2', '(3,4)'] },
    { key: 'e', values: [''] },
  ]);
});

t.test('a parenthesis that is not closed, or a value without a name, is an error', async (t) => {
  t.throws(
    () => parseDirective('go a=(1', 7),
    new GrammarError(7, 'a parenthesis is not closed: (1'),
  );
  t.throws(() => parseDirective('go =1', 7), new GrammarError(7, 'an argument has no name: =1'));
});

t.test(
  'a page that only shows a line of dashes is no transcript, unless it stands alone',
  async (t) => {
    t.notOk(isTranscript('| a |\n|----|\n'));
    t.ok(isTranscript('one\n----\n'));
    t.ok(isTranscript('one\r\n----\r\nok\r\n'));
  },
);
