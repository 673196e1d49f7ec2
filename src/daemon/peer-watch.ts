/**
 * What the other members say of themselves, asked for a few times a second: whether
 * they could take over, and how much of the journal they still need.
 */

import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { messageOf } from '../errors.ts';

const natural = Type.Integer({ minimum: 0 });
/** Longer texts are cut. */
export const BRIEF_TEXT_MAX = 1024;
const text = Type.String({ maxLength: BRIEF_TEXT_MAX });
export const BriefSchema = Type.Object({
  node: text,
  /** Of its data directory, which is durable as of this term, vote and commit at least. */
  incarnation: text,
  term: natural,
  vote: text,
  commit: natural,
  /** Its data directory is an older state of itself: it takes no part. */
  isBarred: Type.Boolean(),
  mode: text,
  /** Where it stands on its way to being primary. */
  phase: text,
  /** It serves: the service is up in a tenure of this epoch. */
  serves: Type.Boolean(),
  epoch: natural,
  canServe: Type.Boolean(),
  /** Why it can not; empty when it can. */
  obstacle: text,
  applied: natural,
  /** Needs the journal from here on. */
  neededFrom: natural,
  missing: natural,
  /** Bytes that it has fetched of the state of others. */
  fetchedBytes: natural,
  salvageFiles: natural,
  /** Of the last entry of its log. */
  lastTerm: natural,
  lastIndex: natural,
  /** Who must hold an entry before it commits, as of its log; empty without a witness. */
  copySet: Type.Array(text, { maxItems: 64 }),
});
export type Brief = Static<typeof BriefSchema>;

const isBrief = new Ajv().compile<Brief>(BriefSchema as TSchema);

export interface HeardBrief {
  readonly brief: Brief;
  readonly heardAtMs: number;
}

export interface PeerWatchPort {
  /** Who the others are now. */
  peers(): readonly string[];
  ask(peer: string): Promise<unknown>;
  nowMs(): number;
  onBrief(brief: Brief): void;
}

export class PeerWatch {
  readonly #port: PeerWatchPort;
  readonly #everyMs: number;
  readonly #heard = new Map<string, HeardBrief>();
  readonly #asking = new Set<string>();
  readonly #problems = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;

  constructor(port: PeerWatchPort, everyMs: number) {
    this.#port = port;
    this.#everyMs = everyMs;
    this.#timer = setInterval(() => this.#askAll(), everyMs);
    this.#askAll();
  }

  /** The last word of a peer, whatever its age. */
  find(peer: string): HeardBrief | undefined {
    return this.#heard.get(peer);
  }

  /** The last word of a peer, if it is of now. */
  findFresh(peer: string): Brief | undefined {
    const heard = this.#heard.get(peer);
    if (heard === undefined) return undefined;
    return this.#port.nowMs() - heard.heardAtMs <= this.#everyMs * 5 ? heard.brief : undefined;
  }

  problemOf(peer: string): string | undefined {
    return this.#problems.get(peer);
  }

  /** Asks everybody now: something is about to be decided on it. */
  askNow(): void {
    this.#askAll();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #askAll(): void {
    for (const peer of this.#port.peers()) void this.#ask(peer);
  }

  async #ask(peer: string): Promise<void> {
    if (this.#asking.has(peer)) return;
    this.#asking.add(peer);
    try {
      const answer = await this.#port.ask(peer);
      if (!isBrief(answer)) {
        this.#problems.set(peer, 'it answers in a way that this version does not know');
        return;
      }
      this.#problems.delete(peer);
      this.#heard.set(peer, { brief: answer, heardAtMs: this.#port.nowMs() });
      this.#port.onBrief(answer);
    } catch (error) {
      // Out of reach is a fact about a peer, and shows in the age of its last word.
      this.#problems.set(peer, messageOf(error));
    } finally {
      this.#asking.delete(peer);
    }
  }
}
