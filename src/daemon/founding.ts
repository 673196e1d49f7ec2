/**
 * How a cluster comes to be (safety rule 24): the origin asks every listed voter in one
 * attempt whether its data directory is empty; when all say so it founds the cluster,
 * durably, and then tells each of them, until each has joined.
 *
 * A member is known by its incarnation from then on: a directory that is wiped later
 * comes with another one, and takes no part before it is added anew.
 */

import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import type { Config } from '../config/config.ts';
import { assert, MailraftError, messageOf } from '../errors.ts';
import type { Logger } from '../platform/log.ts';
import {
  freshId,
  type IdentityStore,
  type MemberIdentity,
  MemberIdentitySchema,
} from './identity.ts';
import { addVerb } from './members/admission.ts';
import { encodeInfo, infoOfConfig } from './members/member-info.ts';

const text = Type.String({ maxLength: 256 });
const AnswerSchema = Type.Object({
  id: text,
  incarnation: text,
  clusterId: text,
  /** Ids of the voters in its configuration, sorted. */
  voters: Type.Array(text),
  /** Files in each volume, in the order of the origin's configuration names. */
  files: Type.Record(text, Type.Integer({ minimum: 0 })),
});
const JoinSchema = Type.Object({
  clusterId: Type.String({ minLength: 1, maxLength: 256 }),
  /** Of the data directory that is invited, as it told itself. */
  incarnation: text,
  members: Type.Array(MemberIdentitySchema),
});
type Answer = Static<typeof AnswerSchema>;
/** What a node is told that is to belong to a cluster from now on. */
export type Join = Static<typeof JoinSchema>;

const ajv = new Ajv();
const isAnswer = ajv.compile<Answer>(AnswerSchema as TSchema);
const isJoin = ajv.compile<Join>(JoinSchema as TSchema);

const AGAIN_MS = 300;
/** Files counted for the question whose data are the larger; more make no difference. */
const COUNT_MAX = 100_000;
/** An origin with less than this part of another member's files is no likely origin. */
const LIKELY_PART = 0.5;

export interface FoundingPort {
  ask(peer: string, method: string, params: unknown): Promise<unknown>;
  /** Why a peer that answers does not want this node; undefined while it does. */
  refusalBy(peer: string): string | undefined;
  /** Whether a founder still is a member, with the data directory that it had. */
  isListed(id: string, incarnation: string): boolean;
  /** The cluster is founded, and this node belongs to it. */
  onFounded(): void;
}

export class Founding {
  readonly #config: Config;
  readonly #identity: IdentityStore;
  readonly #log: Logger;
  readonly #port: FoundingPort;
  /** Members that are known to have joined. */
  readonly #joined = new Set<string>();
  readonly #isForced: boolean;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #problem: string | undefined;

  /** @param isForced found the cluster even on data that look like the wrong ones */
  constructor(
    parts: { readonly config: Config; readonly identity: IdentityStore; readonly log: Logger },
    isForced: boolean,
    port: FoundingPort,
  ) {
    this.#config = parts.config;
    this.#identity = parts.identity;
    this.#log = parts.log;
    this.#isForced = isForced;
    this.#port = port;
  }

  /** What the founding waits for, in words. */
  get problem(): string | undefined {
    if (this.#isOrigin || this.#identity.isFounded) return this.#problem;
    // Whoever belongs to the cluster already knows best why this node will not be invited.
    const refusals = this.#others.map((peer) => this.#port.refusalBy(peer));
    return (
      refusals.find((text) => text !== undefined) ?? 'waiting for the origin to found the cluster'
    );
  }

  start(): void {
    if (this.#isOrigin) void this.#round();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Answers `found.ask`. */
  async answerAsk(): Promise<Answer> {
    const { id, incarnation, clusterId } = this.#identity.current;
    const counts = this.#config.volumes.map(async ({ name, path }) => {
      return [name, await countFiles(path, COUNT_MAX)] as const;
    });
    const files = Object.fromEntries(await Promise.all(counts));
    return { id, incarnation, clusterId, voters: this.#voters, files };
  }

  /** Answers `found.join`. */
  answerJoin(params: unknown): { readonly joined: true } {
    if (!isJoin(params)) throw new MailraftError('DATA_INVALID', 'no invitation to a cluster');
    const { clusterId, incarnation, id } = this.#identity.current;
    if (clusterId === params.clusterId) return { joined: true };
    if (clusterId !== '') {
      throw new MailraftError('REFUSED', `${id} belongs to another cluster already`);
    }
    if (params.incarnation !== incarnation) {
      throw new MailraftError('REFUSED', `${id} has another data directory now: ${addVerb(id)}`);
    }
    this.#identity.join(params.clusterId, params.members);
    this.#port.onFounded();
    return { joined: true };
  }

  get #isOrigin(): boolean {
    const { members, node } = this.#config;
    return members.find(({ id }) => id === node.id)?.origin === true;
  }

  get #voters(): string[] {
    const voters = this.#config.members.filter(({ role }) => role !== 'learner');
    return voters.map(({ id }) => id).sort();
  }

  /** Learners that the file lists belong to the cluster from its beginning, as voters do. */
  get #others(): string[] {
    const { members, node } = this.#config;
    return members.map(({ id }) => id).filter((id) => id !== node.id);
  }

  async #round(): Promise<void> {
    if (this.#isClosed) return;
    try {
      if (!this.#identity.isFounded) await this.#found();
      if (this.#identity.isFounded) await this.#invite();
      this.#tell(undefined);
    } catch (error) {
      this.#tell(messageOf(error));
    }
    if (this.#isClosed) return;
    const isDone = this.#identity.isFounded && this.#absent.length === 0;
    if (!isDone) this.#timer = setTimeout(() => void this.#round(), AGAIN_MS);
  }

  /** Founders that may not know yet that the cluster is founded. */
  get #absent(): readonly MemberIdentity[] {
    return this.#identity.current.members.filter(({ id, incarnation }) => {
      const isOther = id !== this.#config.node.id && !this.#joined.has(id);
      return isOther && this.#port.isListed(id, incarnation);
    });
  }

  async #found(): Promise<void> {
    const others = await Promise.all(this.#others.map((peer) => this.#askEmpty(peer)));
    const own = await this.answerAsk();
    const answers = [own, ...others];
    if (!this.#isForced) for (const answer of answers) checkLikely(own, answer);
    if (this.#isClosed) return;
    const members = answers.map(({ id, incarnation }) => this.#memberOf(id, incarnation));
    this.#identity.join(freshId(), members);
    this.#log.info({ members }, 'the cluster is founded');
    this.#port.onFounded();
  }

  #memberOf(id: string, incarnation: string): MemberIdentity {
    const member = this.#config.members.find((one) => one.id === id);
    assert(member !== undefined, `${id} was asked and is no member`);
    return { id, incarnation, role: member.role, info: encodeInfo(infoOfConfig(member)) };
  }

  async #askEmpty(peer: string): Promise<Answer> {
    const answer = await this.#port.ask(peer, 'found.ask', {});
    if (!isAnswer(answer) || answer.id !== peer) {
      throw new MailraftError('DATA_INVALID', `${peer} answers in a way that is not understood`);
    }
    if (answer.clusterId !== '') {
      throw new MailraftError(
        'REFUSED',
        `${peer} belongs to a cluster already: ${addVerb(this.#config.node.id)}`,
      );
    }
    const [theirs, ours] = [answer.voters.join(', '), this.#voters.join(', ')];
    if (theirs === ours) return answer;
    throw new MailraftError(
      'CONFIG_INVALID',
      `${peer} lists the voters ${theirs}, this node lists ${ours}: make the files agree`,
    );
  }

  /** Tells every member of the founding until it has joined. */
  async #invite(): Promise<void> {
    const { clusterId, members } = this.#identity.current;
    const invited = this.#absent.map(async ({ id, incarnation }) => {
      await this.#port.ask(id, 'found.join', { clusterId, incarnation, members });
      this.#joined.add(id);
    });
    const failed = (await Promise.allSettled(invited)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  #tell(problem: string | undefined): void {
    if (problem !== undefined && problem !== this.#problem) {
      this.#log.warn({ reason: problem }, 'the cluster is not complete yet');
    }
    this.#problem = problem;
  }
}

/** An origin that is much smaller than another member is a mistake more often than not. */
function checkLikely(own: Answer, other: Answer): void {
  for (const [volume, files] of Object.entries(other.files)) {
    const ours = own.files[volume] ?? 0;
    if (ours >= files * LIKELY_PART) continue;
    throw new MailraftError(
      'REFUSED',
      `volume ${JSON.stringify(volume)} has ${ours} files here, at the origin, and ${files} at ${other.id}, ` +
        'which would be put aside: make that member the origin, or start this one with --yes',
    );
  }
}

/** Files below a directory, at most `max`. */
async function countFiles(path: string, max: number): Promise<number> {
  let count = 0;
  const directories = [path];
  for (let next = directories.pop(); next !== undefined; next = directories.pop()) {
    for await (const entry of await opendir(next)) {
      if (entry.isDirectory() && entry.name !== '.mailraft') {
        directories.push(join(next, entry.name));
      }
      if (entry.isFile()) count += 1;
      if (count >= max) return count;
    }
  }
  return count;
}
