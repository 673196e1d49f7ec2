/** Interaction transcripts: a group of nodes whose every step is a directive. */

import { isVoter } from '../../src/consensus/core/quorum/joint.ts';
import type { NodeId } from '../../src/consensus/core/types.ts';
import { planOf } from './add-nodes.ts';
import {
  DirectiveError,
  firstNode,
  nodesOf,
  numberAt,
  optionsOf,
  theValueOf,
  toBoolean,
  toNode,
  toNumber,
  wordsOf,
} from './arguments.ts';
import { parseChanges } from './config-changes.ts';
import {
  describeEntries,
  describeMessage,
  describeProgress,
  describeRole,
  FIRST_FORM,
} from './describe.ts';
import { Environment, type Recipient } from './environment.ts';
import { decimal } from './node-ids.ts';
import type { Case } from './transcript.ts';
import type { TranscriptNode } from './transcript-node.ts';
import { RefusedError } from './transcript-storage.ts';
import { MESSAGE_TYPES, type WireType, wireMessage } from './wire-message.ts';

type Directive = (environment: Environment, directive: Case) => void;

const DIRECTIVES: Readonly<Record<string, Directive>> = {
  // A place for a debugger to stop at.
  _breakpoint: () => undefined,
  'add-nodes': (environment, directive) =>
    environment.addNodes(numberAt(directive, 0), planOf(directive)),
  campaign: (environment, directive) => environment.nodeOf(firstNode(directive)).core.campaign(),
  compact,
  'deliver-msgs': deliverMessages,
  'forget-leader': (environment, directive) =>
    environment.nodeOf(firstNode(directive)).core.forgetLeader(),
  'log-level': (environment, directive) => setLevel(environment, wordsOf(directive)[0] ?? ''),
  'process-append-thread': (environment, directive) =>
    forEach(environment, directive, 'processing append thread', (node) =>
      environment.processAppendThread(node),
    ),
  'process-apply-thread': (environment, directive) =>
    forEach(environment, directive, 'processing apply thread', (node) =>
      environment.processApplyThread(node),
    ),
  'process-ready': (environment, directive) =>
    forEach(environment, directive, 'handling Ready', (node) => environment.processReady(node)),
  propose,
  'propose-conf-change': proposeConfChange,
  'raft-log': (environment, directive) =>
    printLog(environment, environment.nodeOf(firstNode(directive))),
  'raft-state': printStates,
  'report-unreachable': reportUnreachable,
  'send-snapshot': sendSnapshot,
  'set-randomized-election-timeout': setElectionTimeout,
  stabilize,
  status: printStatus,
  'tick-election': (environment, directive) => tick(environment, directive, 'electionTicks'),
  'tick-heartbeat': (environment, directive) => tick(environment, directive, 'heartbeatTicks'),
  'transfer-leadership': (environment, directive) => {
    const to = environment.nodeOf(toNode(theValueOf(directive, 'to'))).id;
    environment.nodeOf(toNode(theValueOf(directive, 'from'))).core.transfer(to);
  },
};

export const INTERACTION_VERBS: readonly string[] = Object.keys(DIRECTIVES);

/** Carries out the directives of one transcript, one after the other. */
export function interaction(): (directive: Case) => readonly string[] {
  const environment = new Environment();
  return (directive) => {
    let error: string | undefined;
    try {
      const carryOut = DIRECTIVES[directive.verb];
      if (carryOut === undefined) throw new RefusedError('unknown command');
      carryOut(environment, directive);
    } catch (caught) {
      if (!(caught instanceof RefusedError)) throw caught;
      error = caught.message;
    }
    return environment.output.take(error);
  };
}

/** With several nodes each has its heading. */
function forEach(
  environment: Environment,
  directive: Case,
  doing: string,
  act: (node: TranscriptNode) => void,
): void {
  const ids = nodesOf(directive);
  for (const id of ids) {
    const node = environment.nodeOf(id);
    if (ids.length === 1) act(node);
    else environment.output.under(`> ${decimal(id)} ${doing}`, () => act(node));
  }
}

function setLevel({ output }: Environment, level: string): void {
  const fault = output.setLevel(level);
  if (fault !== undefined) throw new RefusedError(fault);
}

function compact(environment: Environment, directive: Case): void {
  const node = environment.nodeOf(firstNode(directive));
  node.storage.compact(numberAt(directive, 1));
  printLog(environment, node);
}

function printLog({ output }: Environment, { storage }: TranscriptNode): void {
  const { firstIndex, lastIndex } = storage;
  if (lastIndex < firstIndex) {
    output.print(`log is empty: first index=${firstIndex}, last index=${lastIndex}`);
  } else {
    output.print(...describeEntries(storage.all));
  }
}

function deliverMessages(environment: Environment, directive: Case): void {
  const recipients: Recipient[] = [];
  let type: WireType | undefined;
  for (const { key, values } of directive.args) {
    if (values.length === 0) recipients.push({ id: toNode(key), isDropping: false });
    else if (key === 'drop') recipients.push(...values.map((value) => dropFor(toNode(value))));
    else if (key === 'type') type = typeOf(values.at(-1) ?? '');
    else throw new DirectiveError(`deliver-msgs has no option ${key}`);
  }
  for (const { id, isDropping } of recipients) {
    if (isDropping && recipients.some((other) => other.id === id && !other.isDropping)) {
      throw new DirectiveError(`messages to ${decimal(id)} are both delivered and dropped`);
    }
  }
  if (environment.deliver(recipients, type) === 0) environment.output.print('no messages');
}

function dropFor(id: NodeId): Recipient {
  return { id, isDropping: true };
}

function typeOf(name: string): WireType {
  const type = MESSAGE_TYPES.find((candidate) => candidate === name);
  if (type === undefined) throw new DirectiveError(`there is no message ${name}`);
  return type;
}

function propose(environment: Environment, directive: Case): void {
  const node = environment.nodeOf(firstNode(directive));
  const [, data, ...others] = directive.args;
  if (data === undefined || data.values.length > 0 || others.length > 0) {
    throw new DirectiveError(`needs a node and one word of data: ${directive.text}`);
  }
  node.propose(Buffer.from(data.key));
}

const TRANSITIONS = ['auto', 'implicit', 'explicit'] as const;

function proposeConfChange(environment: Environment, directive: Case): void {
  const node = environment.nodeOf(firstNode(directive));
  let isFirstForm = false;
  let transition: (typeof TRANSITIONS)[number] = 'auto';
  for (const { key, value } of optionsOf(directive)) {
    if (key === 'v1') isFirstForm = toBoolean(value);
    else if (key === 'transition') transition = transitionOf(value);
    else throw new RefusedError(`unknown command ${key}`);
  }
  const changes = parseChanges(directive.input);
  if (isFirstForm && (changes.length > 1 || transition !== 'auto')) {
    throw new RefusedError('v1 conf change can only have one operation and no transition');
  }
  if (isFirstForm && changes.length === 0) {
    throw new DirectiveError('a change of the first form changes one member');
  }
  node.proposeConfig({ changes, transition, context: isFirstForm ? FIRST_FORM : '' });
}

function transitionOf(value: string): (typeof TRANSITIONS)[number] {
  const transition = TRANSITIONS.find((candidate) => candidate === value);
  if (transition === undefined) throw new RefusedError(`unknown transition ${value}`);
  return transition;
}

function printStates({ output, nodes }: Environment): void {
  for (const { id, core } of nodes) {
    const { role, term, leader } = core.status;
    const standing = isVoter(core.membership, id) ? '(Voter)' : '(Non-Voter)';
    const state = `${describeRole(role)} ${standing} Term:${term} Lead:${decimal(leader)}`;
    output.print(`${decimal(id)}: ${state}`);
  }
}

/** What a node knows of the others, which only a leader does. */
function printStatus(environment: Environment, directive: Case): void {
  const { core } = environment.nodeOf(firstNode(directive));
  if (core.status.role === 'leader')
    environment.output.print(...core.progress().map(describeProgress));
}

function twoNodes(environment: Environment, directive: Case): [TranscriptNode, NodeId] {
  const [first, second, ...others] = nodesOf(directive);
  if (first === undefined || second === undefined || others.length > 0) {
    throw new DirectiveError(`needs two nodes: ${directive.text}`);
  }
  return [environment.nodeOf(first), second];
}

function reportUnreachable(environment: Environment, directive: Case): void {
  const [node, id] = twoNodes(environment, directive);
  node.core.reportUnreachable(environment.nodeOf(id).id);
}

/** The harness sends it in the node's name, whether or not it leads. */
function sendSnapshot(environment: Environment, directive: Case): void {
  const [{ id: from, core, state: snapshot }, to] = twoNodes(environment, directive);
  const message = wireMessage({ type: 'snapshot', from, to, term: core.status.term, snapshot });
  environment.send(message);
  environment.output.print(...describeMessage(message));
}

function setElectionTimeout(environment: Environment, directive: Case): void {
  const ticks = toNumber(theValueOf(directive, 'timeout'));
  if (ticks === 0) throw new DirectiveError('an election timeout is no time at all');
  environment.nodeOf(firstNode(directive)).core.setElectionTimeout(ticks);
}

function stabilize(environment: Environment, directive: Case): void {
  const { output } = environment;
  const before = output.level;
  for (const { key, value } of optionsOf(directive)) {
    if (key !== 'log-level') throw new DirectiveError(`stabilize has no option ${key}`);
    setLevel(environment, value);
  }
  const ids = nodesOf(directive);
  const nodes = ids.length === 0 ? environment.nodes : ids.map((id) => environment.nodeOf(id));
  try {
    environment.stabilize(nodes);
  } finally {
    output.setLevel(before);
  }
}

function tick(
  environment: Environment,
  directive: Case,
  interval: 'electionTicks' | 'heartbeatTicks',
): void {
  const { core, plan } = environment.nodeOf(firstNode(directive));
  for (let ticks = 0; ticks < plan.options[interval]; ticks += 1) core.tick();
}
