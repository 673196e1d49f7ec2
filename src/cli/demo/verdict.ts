/**
 * Judges a run by its evidence: which promises were kept, and the figures. Pure.
 *
 * The evidence comes from witnesses outside the product: what the client sent and was
 * answered, what the kernel showed to the sampler, what stands on the disks. Missing
 * evidence is a broken promise, never a kept one.
 */

import type { SamplerResult } from './process-timeline.ts';
import type { AnsweredMessage } from './smtp-ledger.ts';
import { compareTrees, type Tree } from './tree-compare.ts';
import {
  type BarrierRecord,
  type CoveredMessage,
  coverMessages,
  type ServiceSpan,
  serviceSpans,
} from './verdict-coverage.ts';

/** All times are milliseconds on the monotonic clock of the one machine. */
export interface Evidence {
  readonly answered: readonly AnsweredMessage[];
  readonly barriers: readonly BarrierRecord[];
  readonly kills: readonly KillRecord[];
  /** Planned moves of the service: nothing may be lost in them, salvage included. */
  readonly switchovers?: readonly { readonly atMs: number }[];
  /** Every node's tree, walked after everything had settled. */
  readonly trees: readonly { readonly node: string; readonly tree: Tree }[];
  /** Files that salvage lists by name, with the SHA-256 of their content. */
  readonly salvage: readonly SalvagedFile[];
  readonly services: SamplerResult;
  /** What every node says of its own tree. */
  readonly treeHashes: readonly NodeTreeHash[];
  /** @default 500 */
  readonly minMessages?: number;
  /** @default 0.8 */
  readonly coverageFloor?: number;
}

export interface KillRecord {
  /** Taken just before the signal was sent. */
  readonly atMs: number;
  /** What was killed: `daemon`, `service`, ... */
  readonly what: string;
  readonly node: string;
}

export interface SalvagedFile {
  readonly node: string;
  readonly path: string;
  readonly digest: string;
}

export interface NodeTreeHash {
  readonly node: string;
  readonly hash: string;
  readonly index: number;
}

export type PromiseName =
  /** There is something to judge by: trees and hashes of the same two or more nodes. */
  | 'evidence-complete'
  | 'enough-messages'
  /** A message that a barrier covered is on every node, byte for byte. */
  | 'covered-on-every-node'
  /** An answered message that was not covered is on every node or in salvage. */
  | 'uncovered-kept'
  /** Every answered message exists at least once somewhere. */
  | 'answered-exists'
  /** At each kill most of what was answered had been covered. */
  | 'coverage-floor'
  /** What was answered before a planned move is on every node. */
  | 'switchover-lossless'
  | 'tree-hash-equal'
  | 'trees-equal'
  | 'one-service'
  /** The sampler looked often enough; else the run is void. */
  | 'sampler-awake';

export interface KillFigures extends KillRecord {
  readonly answered: number;
  readonly covered: number;
  readonly uncovered: number;
}

export interface VerdictFigures {
  readonly answered: number;
  readonly covered: number;
  readonly uncovered: number;
  /** Answered messages that are not on every node but in salvage. */
  readonly salvaged: number;
  readonly barriers: number;
  readonly kills: readonly KillFigures[];
  readonly samples: number;
  readonly longestGapMs: number;
}

export interface BrokenPromise {
  readonly promise: PromiseName;
  readonly text: string;
}

export interface Verdict {
  readonly broken: readonly BrokenPromise[];
  readonly figures: VerdictFigures;
}

const MESSAGES_MIN = 500;
const COVERAGE_FLOOR = 0.8;
const GAP_MS_MAX = 100;
const IDS_SHOWN = 5;

/** Where each answered message was found, worked out once for all promises. */
interface Found extends CoveredMessage {
  readonly isOnEveryNode: boolean;
  readonly isInSalvage: boolean;
  readonly isSomewhere: boolean;
}

export function judge(evidence: Evidence): Verdict {
  const spans = serviceSpans(evidence.services.intervals);
  const found = findMessages(evidence, spans);
  const kills = evidence.kills.map((kill) => killFigures(kill, found));
  const covered = found.filter(({ coveredAtMs }) => Number.isFinite(coveredAtMs)).length;
  return {
    broken: [
      ...judgeEvidence(evidence),
      ...judgeMessages(found),
      ...judgeSwitchovers(evidence, spans, found),
      ...judgeCoverage(kills, evidence.coverageFloor ?? COVERAGE_FLOOR),
      ...judgeTreeHashes(evidence),
      ...judgeTrees(evidence),
      ...judgeServices(evidence.services),
    ],
    figures: {
      answered: found.length,
      covered,
      uncovered: found.length - covered,
      salvaged: found.filter((one) => !one.isOnEveryNode && one.isInSalvage).length,
      barriers: evidence.barriers.filter(({ ok }) => ok).length,
      kills,
      samples: evidence.services.samples,
      longestGapMs: evidence.services.longestGapMs,
    },
  };
}

function findMessages(evidence: Evidence, spans: readonly ServiceSpan[]): Found[] {
  const inTrees = evidence.trees.map(({ tree }) => digestsOf(tree));
  const inSalvage = new Set(evidence.salvage.map(({ digest }) => digest));
  return coverMessages(evidence.answered, evidence.barriers, spans).map((covered) => {
    const { digest } = covered.message;
    const isInSalvage = inSalvage.has(digest);
    return {
      ...covered,
      isOnEveryNode: inTrees.length > 0 && inTrees.every((digests) => digests.has(digest)),
      isInSalvage,
      isSomewhere: isInSalvage || inTrees.some((digests) => digests.has(digest)),
    };
  });
}

function digestsOf(tree: Tree): ReadonlySet<string> {
  const digests = new Set<string>();
  for (const entry of tree.values()) if (entry.type === 'file') digests.add(entry.sha256);
  return digests;
}

function killFigures(kill: KillRecord, found: readonly Found[]): KillFigures {
  const before = found.filter(({ message }) => message.answeredAtMs < kill.atMs);
  const covered = before.filter(({ coveredAtMs }) => coveredAtMs < kill.atMs).length;
  return { ...kill, answered: before.length, covered, uncovered: before.length - covered };
}

function judgeEvidence(evidence: Evidence): BrokenPromise[] {
  const broken: BrokenPromise[] = [];
  const walked = evidence.trees.map(({ node }) => node).sort();
  const hashed = evidence.treeHashes.map(({ node }) => node).sort();
  if (walked.length < 2 || walked.join() !== hashed.join()) {
    const text = `trees of [${walked.join()}] and hashes of [${hashed.join()}]`;
    broken.push({ promise: 'evidence-complete', text });
  }
  const { answered, minMessages = MESSAGES_MIN } = evidence;
  if (answered.length < minMessages) {
    const text = `${answered.length} messages answered, at least ${minMessages} wanted`;
    broken.push({ promise: 'enough-messages', text });
  }
  return broken;
}

function judgeMessages(found: readonly Found[]): BrokenPromise[] {
  const isCovered = ({ coveredAtMs }: Found): boolean => Number.isFinite(coveredAtMs);
  return [
    ...brokenBy(
      'covered-on-every-node',
      'covered and not on every node',
      found.filter((one) => isCovered(one) && !one.isOnEveryNode),
    ),
    ...brokenBy(
      'uncovered-kept',
      'answered, not covered, neither on every node nor in salvage',
      found.filter((one) => !isCovered(one) && !one.isOnEveryNode && !one.isInSalvage),
    ),
    ...brokenBy(
      'answered-exists',
      'answered and nowhere to be found',
      found.filter((one) => !one.isSomewhere),
    ),
  ];
}

/** A span that ends by a planned move must leave nothing behind. */
function judgeSwitchovers(
  { kills, switchovers = [] }: Evidence,
  spans: readonly ServiceSpan[],
  found: readonly Found[],
): BrokenPromise[] {
  const planned = new Set<ServiceSpan>();
  for (const { atMs } of switchovers) {
    const span = spans.find(({ endMs }) => endMs > atMs);
    if (span === undefined) continue;
    const isKilledMeanwhile = kills.some((kill) => kill.atMs > atMs && kill.atMs <= span.endMs);
    if (!isKilledMeanwhile) planned.add(span);
  }
  const lost = found.filter(
    ({ span, isOnEveryNode }) => span !== undefined && planned.has(span) && !isOnEveryNode,
  );
  return brokenBy('switchover-lossless', 'answered before a planned move, not on every node', lost);
}

function judgeCoverage(kills: readonly KillFigures[], floor: number): BrokenPromise[] {
  return kills
    .filter(({ answered, covered }) => answered === 0 || covered < floor * answered)
    .map(({ what, node, answered, covered }) => ({
      promise: 'coverage-floor',
      text: `when the ${what} of ${node} was killed ${covered} of ${answered} answered messages were covered, at least ${floor * 100} % wanted`,
    }));
}

function judgeTreeHashes({ treeHashes }: Evidence): BrokenPromise[] {
  const first = treeHashes[0];
  if (treeHashes.every(({ hash, index }) => hash === first?.hash && index === first.index)) {
    return [];
  }
  const text = treeHashes.map(({ node, hash, index }) => `${node} ${hash} at ${index}`).join('; ');
  return [{ promise: 'tree-hash-equal', text }];
}

function judgeTrees({ trees }: Evidence): BrokenPromise[] {
  const [first, ...others] = trees;
  if (first === undefined) return [];
  return others.flatMap(({ node, tree }): BrokenPromise[] => {
    const { count, texts } = compareTrees(first.tree, tree);
    if (count === 0) return [];
    const text = `${first.node} and ${node} differ in ${count} places: ${texts.join('; ')}`;
    return [{ promise: 'trees-equal', text }];
  });
}

function judgeServices(services: SamplerResult): BrokenPromise[] {
  const broken: BrokenPromise[] = [];
  const first = services.doubles[0];
  if (services.doubleCount > 0 || first !== undefined) {
    const who = first?.services.map(({ node, pid }) => `${node} (pid ${pid})`).join(' and ');
    const text = `${services.doubleCount} samples saw two services, first ${who} at ${first?.atMs} ms`;
    broken.push({ promise: 'one-service', text });
  }
  if (services.samples === 0 || services.longestGapMs >= GAP_MS_MAX) {
    const text = `${services.samples} samples, longest gap ${Math.round(services.longestGapMs)} ms: the run is void`;
    broken.push({ promise: 'sampler-awake', text });
  }
  return broken;
}

function brokenBy(promise: PromiseName, what: string, found: readonly Found[]): BrokenPromise[] {
  if (found.length === 0) return [];
  const ids = found.slice(0, IDS_SHOWN).map(({ message }) => message.id);
  const more = found.length > IDS_SHOWN ? ', ...' : '';
  return [{ promise, text: `${found.length} messages ${what}: ${ids.join(', ')}${more}` }];
}
