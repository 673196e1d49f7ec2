/**
 * Transcripts of places that random ones seldom come to. What is printed follows from the
 * rules; each stands with the rule.
 */

import t from 'tap';
import { runTranscript } from './run-transcript.ts';

/** Directives whose output does not matter; one with input has it on a line of its own. */
function silently(...directives: readonly string[]): string {
  const all = ['log-level none', ...directives, 'log-level debug'];
  return all.map((directive) => `${directive}\n----\nok\n`).join('\n');
}

function holds(name: string, transcript: string): void {
  t.test(name, async (t) => t.same(runTranscript(transcript).failures, []));
}

holds(
  'a member that one change removes and adds again is a new one',
  `
${silently('add-nodes 3 voters=(1,2) learners=(3) index=10', 'campaign 1', 'stabilize', 'propose-conf-change 1\nr3 l3', 'process-ready 1', 'deliver-msgs 2', 'process-ready 2', 'deliver-msgs 1')}

status 1
----
1: StateReplicate match=12 next=13
2: StateReplicate match=12 next=13
3: StateReplicate match=11 next=13 learner inflight=1

${silently('process-ready 1')}

status 1
----
1: StateReplicate match=12 next=13
2: StateReplicate match=12 next=14 inflight=1
3: StateProbe match=0 next=12 learner paused
`,
);

holds(
  'who knows of a committed change that is not said to be applied does not stand',
  `
${silently('add-nodes 3 voters=(1,2,3) index=10 async-storage-writes=true', 'campaign 1', 'stabilize', 'propose-conf-change 1\nu1', 'stabilize 1 3', 'deliver-msgs 2', 'process-ready 2', 'process-append-thread 2', 'deliver-msgs 2', 'process-ready 2')}

process-apply-thread 2
----
Processing:
2->ApplyThread MsgStorageApply Term:0 Log:0/0 Entries:[1/12 EntryConfChangeV2 u1]
Responses:
ApplyThread->2 MsgStorageApplyResp Term:0 Log:0/0 Entries:[1/12 EntryConfChangeV2 u1]

campaign 2
----
ok

raft-state
----
1: StateLeader (Voter) Term:1 Lead:1
2: StateFollower (Voter) Term:1 Lead:1
3: StateFollower (Voter) Term:1 Lead:1

deliver-msgs 2
----
ApplyThread->2 MsgStorageApplyResp Term:0 Log:0/0 Entries:[1/12 EntryConfChangeV2 u1]

campaign 2
----
ok

raft-state
----
1: StateLeader (Voter) Term:1 Lead:1
2: StateCandidate (Voter) Term:2 Lead:0
3: StateFollower (Voter) Term:1 Lead:1
`,
);

holds(
  'entries are handed out by their encoded size: two of eleven bytes within twenty-five',
  `
add-nodes 1 voters=(1) index=10 max-committed-size-per-ready=25
----
ok

campaign 1
----
ok

stabilize log-level=none
----
ok

propose 1 foo
----
ok

propose 1 bar
----
ok

propose 1 baz
----
ok

process-ready 1
----
Ready MustSync=true:
Entries:
1/12 EntryNormal "foo"
1/13 EntryNormal "bar"
1/14 EntryNormal "baz"

stabilize
----
> 1 handling Ready
  Ready MustSync=false:
  HardState Term:1 Vote:1 Commit:14
  CommittedEntries:
  1/12 EntryNormal "foo"
  1/13 EntryNormal "bar"
> 1 handling Ready
  Ready MustSync=false:
  CommittedEntries:
  1/14 EntryNormal "baz"
`,
);

holds(
  'with storage threads nothing more is handed out after a cut before it is applied',
  `
${silently('add-nodes 1 voters=(1) index=10 max-committed-size-per-ready=15 async-storage-writes=true', 'campaign 1', 'stabilize', 'propose 1 foo', 'propose 1 bar', 'process-ready 1', 'process-append-thread 1', 'deliver-msgs 1')}

process-ready 1
----
Ready MustSync=false:
HardState Term:1 Vote:1 Commit:13
CommittedEntries:
1/12 EntryNormal "foo"
Messages:
1->AppendThread MsgStorageAppend Term:1 Log:0/0 Commit:13 Vote:1
1->ApplyThread MsgStorageApply Term:0 Log:0/0 Entries:[1/12 EntryNormal "foo"] Responses:[
  ApplyThread->1 MsgStorageApplyResp Term:0 Log:0/0 Entries:[1/12 EntryNormal "foo"]
]

process-ready 1
----
<empty Ready>

process-apply-thread 1
----
Processing:
1->ApplyThread MsgStorageApply Term:0 Log:0/0 Entries:[1/12 EntryNormal "foo"]
Responses:
ApplyThread->1 MsgStorageApplyResp Term:0 Log:0/0 Entries:[1/12 EntryNormal "foo"]

process-ready 1
----
<empty Ready>

deliver-msgs 1
----
ApplyThread->1 MsgStorageApplyResp Term:0 Log:0/0 Entries:[1/12 EntryNormal "foo"]

process-ready 1
----
Ready MustSync=false:
CommittedEntries:
1/13 EntryNormal "bar"
Messages:
1->ApplyThread MsgStorageApply Term:0 Log:0/0 Entries:[1/13 EntryNormal "bar"] Responses:[
  ApplyThread->1 MsgStorageApplyResp Term:0 Log:0/0 Entries:[1/13 EntryNormal "bar"]
]
`,
);

holds(
  'node 10 comes after node 9 and is called a where messages come from',
  `
add-nodes 11 voters=(1,2,9,10,11) index=10
----
ok

campaign 10
----
ok

process-ready 10
----
Ready MustSync=true:
Lead:0 State:StateCandidate
HardState Term:1 Vote:10 Commit:10
Messages:
a->1 MsgVote Term:1 Log:1/10
a->2 MsgVote Term:1 Log:1/10
a->9 MsgVote Term:1 Log:1/10
a->b MsgVote Term:1 Log:1/10

deliver-msgs type=MsgVote drop=(9,11)
----
dropped: a->9 MsgVote Term:1 Log:1/10
dropped: a->b MsgVote Term:1 Log:1/10

deliver-msgs 2 type=MsgApp
----
no messages

deliver-msgs 1 2
----
a->1 MsgVote Term:1 Log:1/10
a->2 MsgVote Term:1 Log:1/10

process-ready 1 2 3
----
> 1 handling Ready
  Ready MustSync=true:
  HardState Term:1 Vote:10 Commit:10
  Messages:
  1->a MsgVoteResp Term:1 Log:0/0
> 2 handling Ready
  Ready MustSync=true:
  HardState Term:1 Vote:10 Commit:10
  Messages:
  2->a MsgVoteResp Term:1 Log:0/0
> 3 handling Ready
  <empty Ready>
`,
);

holds(
  'data of any characters is kept, and without a leader it is refused',
  `
add-nodes 1 voters=(1) index=10
----
ok

propose 1 early
----
raft proposal dropped

campaign 1
----
ok

stabilize log-level=none
----
ok

propose 1 "ü\\n(1,2)
----
ok

process-ready 1
----
Ready MustSync=true:
Entries:
1/12 EntryNormal "\\"ü\\\\n(1,2)"
`,
);

holds(
  'a state sent by a node of no term is taken as one of the receiver’s own term',
  `
${silently('add-nodes 3 voters=(1,2) index=10', 'add-nodes 1 voters=(1,2) index=20', 'campaign 1', 'process-ready 1', 'deliver-msgs 2', 'process-ready 2')}

send-snapshot 4 2
----
4->2 MsgSnap Term:0 Log:0/0
  Snapshot: Index:20 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false

deliver-msgs drop=(2) type=MsgVote
----
no messages

deliver-msgs 2
----
4->2 MsgSnap Term:0 Log:0/0
  Snapshot: Index:20 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false

process-ready 2
----
Ready MustSync=false:
Lead:4 State:StateFollower
HardState Term:1 Vote:1 Commit:20
Snapshot Index:20 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false
Messages:
2->4 MsgAppResp Term:1 Log:0/20

deliver-msgs 4
----
2->4 MsgAppResp Term:1 Log:0/20

raft-log 2
----
log is empty: first index=21, last index=20

compact 2 20
----
requested index is unavailable due to compaction
`,
);

holds(
  'the highest log level silences all but errors, and ends with its directive',
  `
log-level quiet
----
log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]

log-level NONE
----
ok

add-nodes 1 voters=(1) index=1
----
index must be specified as > 1 due to bootstrap

add-nodes 1 voters=(1) index=2 election-tick=5 heartbeat-tick=2
----
ok

propose 1 a
----
raft proposal dropped

log-level Error
----
ok

set-randomized-election-timeout 1 timeout=5
----
ok

tick-heartbeat 1
----
ok

raft-state
----
1: StateFollower (Voter) Term:0 Lead:0

tick-election 1
----
ok

raft-state
----
1: StateCandidate (Voter) Term:1 Lead:0
`,
);

holds(
  'a change that names node 0 changes nothing, and counts as one',
  `
add-nodes 1 voters=(1) index=2
----
ok

campaign 1
----
ok

stabilize log-level=none
----
ok

propose-conf-change 1 v1=true
v0
----
ok

stabilize
----
> 1 handling Ready
  Ready MustSync=true:
  Entries:
  1/4 EntryConfChange v0
> 1 handling Ready
  Ready MustSync=false:
  HardState Term:1 Vote:1 Commit:4
  CommittedEntries:
  1/4 EntryConfChange v0

propose-conf-change 1 v1=true transition=explicit
v2
----
v1 conf change can only have one operation and no transition

propose-conf-change 1 transition=sideways
----
unknown transition sideways

propose-conf-change 1
x2
----
unknown input: x2
`,
);

holds(
  'a learner that is removed and added in one change is probed from the log’s end of now',
  `
simple
v1 l2
----
voters=(1) learners=(2)
1: StateProbe match=0 next=1
2: StateProbe match=0 next=1 learner

simple
l2
----
voters=(1) learners=(2)
1: StateProbe match=0 next=1
2: StateProbe match=0 next=1 learner

simple
r2 l2
----
voters=(1) learners=(2)
1: StateProbe match=0 next=1
2: StateProbe match=0 next=2 learner

enter-joint
r1 v1 r2 v2
----
voters=(1 2)&&(1)
1: StateProbe match=0 next=1
2: StateProbe match=0 next=3

leave-joint
v1
----
this command takes no input

leave-joint
x
----
unknown token x

simple
x1
----
unknown input: x1
`,
);

holds(
  'every voter has a value, once, in the order of naming',
  `
committed cfg=(2,10,1) cfgj=(10,3) idx=(7,_,9,5)
----
        idx
xxx>      9    (id=1)
xx>       7    (id=2)
x>        5    (id=3)
?         0    (id=10)
0

committed cfg=(10,2) idx=(7)
----
error: mismatched input (explicit or _) for voters map[2:{} 10:{}]: [7]

vote cfg=(1) votes=(y,_,n)
----
error: mismatched input (explicit or _) for voters map[1:{}]: [2 0 1]

committed cfgj=zero
----
<empty majority quorum>∞
`,
);

holds(
  'who grants a vote waits a whole election timeout from then on',
  `
${silently(
  'add-nodes 3 voters=(1,2,3,4) index=20',
  'add-nodes 1 voters=(1,2,3,4) index=10',
  'campaign 4',
  'process-ready 4',
  'deliver-msgs 2',
  'set-randomized-election-timeout 2 timeout=3',
  'tick-heartbeat 2',
  'tick-heartbeat 2',
  'campaign 1',
  'process-ready 1',
)}

deliver-msgs 2
----
1->2 MsgVote Term:1 Log:1/20

tick-heartbeat 2
----
ok

tick-heartbeat 2
----
ok

process-ready 2
----
Ready MustSync=true:
HardState Term:1 Vote:1 Commit:20
Messages:
2->4 MsgVoteResp Term:1 Log:0/0 Rejected (Hint: 0)
2->1 MsgVoteResp Term:1 Log:0/0

tick-heartbeat 2
----
ok

raft-state
----
1: StateCandidate (Voter) Term:1 Lead:0
2: StateCandidate (Voter) Term:2 Lead:0
3: StateFollower (Voter) Term:0 Lead:0
4: StateCandidate (Voter) Term:1 Lead:0
`,
);

holds(
  'a new leader proposes no change before it has applied what it found in its log',
  `
${silently(
  'add-nodes 3 voters=(1,2,3) index=10',
  'campaign 1',
  'stabilize',
  'propose-conf-change 1\nl4',
  'process-ready 1',
  'deliver-msgs 2 3',
  'process-ready 2 3',
  'deliver-msgs drop=(1)',
  'campaign 2',
  'process-ready 2',
  'deliver-msgs 3',
  'process-ready 3',
  'deliver-msgs 2',
)}

propose-conf-change 2
l5
----
ok

process-ready 2
----
Ready MustSync=true:
Lead:2 State:StateLeader
Entries:
2/13 EntryNormal ""
2/14 EntryNormal ""
Messages:
2->1 MsgApp Term:2 Log:1/12 Commit:11 Entries:[2/13 EntryNormal ""]
2->3 MsgApp Term:2 Log:1/12 Commit:11 Entries:[2/13 EntryNormal ""]
`,
);

holds(
  'what replaces entries on their way to the disk goes there again',
  `
${silently(
  'add-nodes 5 voters=(1,2,3,4,5) index=10 async-storage-writes=true',
  'campaign 1',
  'stabilize',
  'propose 1 a',
  'process-ready 1',
  'deliver-msgs 2 3 drop=(4,5)',
  'process-ready 2 3',
  'process-append-thread 3',
  'deliver-msgs 3',
  'propose 1 b',
  'process-ready 1',
  'deliver-msgs 2 drop=(3,4,5)',
  'process-ready 2',
  'campaign 3',
  'stabilize 3 4 5',
)}

deliver-msgs 2
----
3->2 MsgVote Term:2 Log:1/12
3->2 MsgApp Term:2 Log:1/12 Commit:11 Entries:[2/13 EntryNormal ""]

process-ready 2
----
Ready MustSync=true:
Lead:3 State:StateFollower
HardState Term:2 Commit:11
Entries:
2/13 EntryNormal ""
Messages:
2->AppendThread MsgStorageAppend Term:2 Log:0/0 Commit:11 Entries:[2/13 EntryNormal ""] Responses:[
  2->3 MsgVoteResp Term:2 Log:0/0 Rejected (Hint: 0)
  2->3 MsgAppResp Term:2 Log:0/13
  AppendThread->2 MsgStorageAppendResp Term:2 Log:2/13
]
`,
);
