/** The directive that makes nodes, and everything it may say of them. */

import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import type { CoreOptions } from '../../src/consensus/core/options.ts';
import type { NodeId } from '../../src/consensus/core/types.ts';
import { DirectiveError, optionsOf, toBoolean, toNode, toNumber } from './arguments.ts';
import { entryBytes } from './entry-bytes.ts';
import type { Case } from './transcript.ts';
import type { NodePlan } from './transcript-node.ts';
import { RefusedError } from './transcript-storage.ts';

const UNLIMITED = Number.MAX_SAFE_INTEGER;
/** The limit of a window of which nothing is said. */
const INFLIGHT_MESSAGES = 2 ** 31 - 1;

type PlannedOptions = NodePlan['options'];

const DEFAULTS: PlannedOptions = {
  electionTicks: 3,
  heartbeatTicks: 1,
  preVote: false,
  checkQuorum: false,
  appendBytesMax: UNLIMITED,
  inflightMessagesMax: INFLIGHT_MESSAGES,
  inflightBytesMax: UNLIMITED,
  uncommittedBytesMax: UNLIMITED,
  applyingBytesMax: UNLIMITED,
  configTakesEffect: 'whenApplied',
  checkConfigChanges: true,
  stepDownOnRemoval: false,
  forwardsToLeader: true,
  waitsForOwnVote: false,
  refusalsTellCommit: false,
  readOnly: 'safe',
  entryBytes,
};

/** What the options of the directive set in the core, by their names. */
const CORE_OPTIONS: Readonly<Record<string, (value: string) => Partial<CoreOptions>>> = {
  prevote: (value) => ({ preVote: toBoolean(value) }),
  checkquorum: (value) => ({ checkQuorum: toBoolean(value) }),
  inflight: (value) => ({ inflightMessagesMax: toNumber(value) }),
  // 0 means that nothing is said.
  'max-committed-size-per-ready': (value) => ({ applyingBytesMax: toNumber(value) || UNLIMITED }),
  'disable-conf-change-validation': (value) => ({ checkConfigChanges: !toBoolean(value) }),
  'read-only': (value) => ({ readOnly: readOnlyOf(value) }),
  'step-down-on-removal': (value) => ({ stepDownOnRemoval: toBoolean(value) }),
  'heartbeat-tick': (value) => ({ heartbeatTicks: toNumber(value) }),
  'election-tick': (value) => ({ electionTicks: toNumber(value) }),
};

export function planOf(directive: Case): NodePlan {
  let options = DEFAULTS;
  let isAsync = false;
  let index = 0;
  let hasContent = false;
  const [voters, learners]: [NodeId[], NodeId[]] = [[], []];
  for (const { key, value } of optionsOf(directive)) {
    const toOption = CORE_OPTIONS[key];
    if (toOption !== undefined) options = { ...options, ...toOption(value) };
    else if (key === 'voters') voters.push(toNode(value));
    else if (key === 'learners') learners.push(toNode(value));
    else if (key === 'index') index = toNumber(value);
    // The state itself is never printed.
    else if (key === 'content') hasContent = value !== '';
    else if (key === 'async-storage-writes') isAsync = toBoolean(value);
    else throw new DirectiveError(`add-nodes has no option ${key}`);
  }
  const isEmpty = index + voters.length + learners.length === 0 && !hasContent;
  if (!isEmpty && index <= 1) {
    throw new RefusedError('index must be specified as > 1 due to bootstrap');
  }
  const membership = membershipOf({ voters, learners });
  const state = { index, term: isEmpty ? 0 : 1, membership, membershipIndex: index };
  return { options, isAsync, state };
}

function readOnlyOf(value: string): 'safe' | 'leaseBased' {
  if (value === 'safe') return 'safe';
  if (value === 'lease-based') return 'leaseBased';
  throw new RefusedError(`invalid read-only option "${value}"`);
}
