/**
 * When was an answered message safe? Pure.
 *
 * A barrier vouches for what was written before it was asked, but only for the primary
 * that had it: a message that a service accepted on a node that had already lost its
 * place is not made safe by a barrier of its successor. So the time is divided into
 * spans, one for each stay of the service on one node, as the sampler saw it: a barrier
 * covers a message when it was asked after the message's 250 and answered before the
 * span of that message ended.
 */

import type { ServiceInterval } from './process-timeline.ts';
import type { AnsweredMessage } from './smtp-ledger.ts';

export interface BarrierRecord {
  readonly requestedAtMs: number;
  readonly answeredAtMs: number;
  readonly ok: boolean;
}

/** The service on one node, restarts in place included; the last span has no end. */
export interface ServiceSpan {
  readonly node: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface CoveredMessage {
  readonly message: AnsweredMessage;
  /** When the barrier that covers it was answered; infinite when none did. */
  readonly coveredAtMs: number;
  /** Where it was accepted; undefined when no service was seen before its answer. */
  readonly span: ServiceSpan | undefined;
}

export function serviceSpans(intervals: readonly ServiceInterval[]): ServiceSpan[] {
  const spans: ServiceSpan[] = [];
  for (const { node, startMs, endMs } of intervals.toSorted((a, b) => a.startMs - b.startMs)) {
    const last = spans.at(-1);
    if (last?.node === node)
      spans[spans.length - 1] = { ...last, endMs: Math.max(last.endMs, endMs) };
    else spans.push({ node, startMs, endMs });
  }
  const last = spans.at(-1);
  if (last !== undefined) spans[spans.length - 1] = { ...last, endMs: Number.POSITIVE_INFINITY };
  return spans;
}

export function coverMessages(
  messages: readonly AnsweredMessage[],
  barriers: readonly BarrierRecord[],
  spans: readonly ServiceSpan[],
): CoveredMessage[] {
  const answeredOk = barriers
    .filter(({ ok }) => ok)
    .toSorted((a, b) => a.requestedAtMs - b.requestedAtMs);
  // earliest[i]: when the first of the barriers asked at i or later was answered.
  const earliest = answeredOk.map(({ answeredAtMs }) => answeredAtMs);
  for (let index = earliest.length - 2; index >= 0; index -= 1) {
    earliest[index] = Math.min(earliest[index] ?? 0, earliest[index + 1] ?? 0);
  }
  return messages.map((message) => {
    const span = spans.findLast(({ startMs }) => startMs < message.answeredAtMs);
    const first = firstAfter(answeredOk, message.answeredAtMs);
    const answeredAtMs = earliest[first] ?? Number.POSITIVE_INFINITY;
    const isInSpan = span !== undefined && answeredAtMs < span.endMs;
    return { message, span, coveredAtMs: isInSpan ? answeredAtMs : Number.POSITIVE_INFINITY };
  });
}

/** Index of the first barrier that was asked after `timeMs`. */
function firstAfter(barriers: readonly BarrierRecord[], timeMs: number): number {
  let low = 0;
  let high = barriers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((barriers[middle]?.requestedAtMs ?? 0) > timeMs) high = middle;
    else low = middle + 1;
  }
  return low;
}
