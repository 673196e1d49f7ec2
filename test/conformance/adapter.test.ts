/** What the adapter says of transcripts: it passes what is right, and names what is not. */

import t from 'tap';
import { type Failure, runTranscript } from './run-transcript.ts';

/** The first failure of a transcript, which must have one. */
function failureOf(text: string): Failure | undefined {
  return runTranscript(text).failures[0];
}

const ONE_NODE = `
add-nodes 1 voters=(1) index=3
----
ok

campaign 1
----
ok

stabilize log-level=none
----
ok
`;

t.test('a transcript that holds passes', async (t) => {
  const run = runTranscript(`${ONE_NODE}
raft-state
----
1: StateLeader (Voter) Term:1 Lead:1
`);
  t.same(run, { kind: 'interaction', cases: 4, failures: [] });
});

t.test('a wrong expectation is named: line, directive, the first line that differs', async (t) => {
  const failure = failureOf(`${ONE_NODE}
raft-state
----
1: StateFollower (Voter) Term:1 Lead:1
`);
  t.same(failure, {
    line: 14,
    directive: 'raft-state',
    expected: '1: StateFollower (Voter) Term:1 Lead:1',
    got: '1: StateLeader (Voter) Term:1 Lead:1',
  });
});

t.test('one number that is wrong in a long answer is found', async (t) => {
  const failure = failureOf(`
add-nodes 1 voters=(1) index=3
----
ok

campaign 1
----
ok

stabilize
----
> 1 handling Ready
  Ready MustSync=true:
  Lead:0 State:StateCandidate
  HardState Term:1 Vote:1 Commit:3
> 1 handling Ready
  Ready MustSync=true:
  Lead:1 State:StateLeader
  Entries:
  1/5 EntryNormal ""
`);
  t.match(failure, { expected: '  1/5 EntryNormal ""', got: '  1/4 EntryNormal ""' });
});

t.test('what is missing at the end, and what is too much there, is a difference', async (t) => {
  const state = '1: StateLeader (Voter) Term:1 Lead:1';
  const tooFew = failureOf(`${ONE_NODE}\nraft-state\n----\n${state}\n2: StateFollower\n`);
  t.match(tooFew, { expected: '2: StateFollower', got: undefined });
  const tooMany = failureOf(`${ONE_NODE}\nraft-log 1\n----\nok\n`);
  t.match(tooMany, { expected: 'ok', got: '1/4 EntryNormal ""' });
});

t.test('what follows a failure depends on it, and is not carried out', async (t) => {
  const { cases, failures } = runTranscript(`
add-nodes 1 voters=(1) index=3
----
no

raft-state
----
no
`);
  t.equal(cases, 1);
  t.equal(failures.length, 1);
});

t.test('cases of quorums stand alone: each that fails is named', async (t) => {
  const { kind, cases, failures } = runTranscript(`
vote cfg=(1,2) votes=(y,y)
----
VoteLost

vote cfg=(1,2) votes=(y,n)
----
VoteLost

committed cfg=(1) idx=(7)
----
     idx
>      7    (id=1)
8
`);
  t.equal(kind, 'quorum');
  t.equal(cases, 3);
  t.match(failures, [
    { line: 2, expected: 'VoteLost', got: 'VoteWon' },
    { line: 10, expected: '8', got: '7' },
  ]);
});

t.test('log lines of the library are left out, and nothing else', async (t) => {
  const passing = runTranscript(`
add-nodes 1 voters=(1) index=3
----
INFO 1 switched to configuration voters=(1)
DEBUG anything
ignoring conf change {} at config voters=(1): why

raft-state
----
  WARN anything
1: StateFollower (Voter) Term:0 Lead:0
`);
  t.same(passing.failures, []);
  const other = failureOf('add-nodes 1 voters=(1) index=3\n----\nTRACE anything\n');
  t.match(other, { expected: 'TRACE anything', got: 'ok' });
});

t.test('a directive, an option or a node that does not exist fails the case', async (t) => {
  t.match(failureOf('dance 1\n----\nok\n'), { got: 'no kind of transcript has dance' });
  t.match(failureOf(`${ONE_NODE}\ndance 1\n----\nok\n`), { got: 'unknown command' });
  t.match(failureOf('add-nodes 1 colour=red\n----\nok\n'), { got: /no option colour/ });
  t.match(failureOf(`${ONE_NODE}\ncampaign 2\n----\nok\n`), { got: /no node 2/ });
  t.match(failureOf(`${ONE_NODE}\ncampaign one\n----\nok\n`), { got: /"one" is no number/ });
});

t.test('what is no transcript fails, with the line', async (t) => {
  t.match(failureOf('# nothing but\n'), { line: 1, got: /no case/ });
  t.match(failureOf('\nvote cfg=(1,2\n----\nVoteWon\n'), { line: 2, got: /not closed/ });
});
