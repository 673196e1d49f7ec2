/**
 * The nodes of an interaction transcript and the messages between them, moved by hand:
 * nothing is sent, stored or applied before a directive says so.
 */

import type { NodeId } from '../../src/consensus/core/types.ts';
import { DirectiveError } from './arguments.ts';
import { describeMessage } from './describe.ts';
import { describeReady } from './describe-ready.ts';
import { decimal, nodeId } from './node-ids.ts';
import { Output } from './output.ts';
import { type NodePlan, TranscriptNode } from './transcript-node.ts';
import { isLocal, type WireMessage, type WireType } from './wire-message.ts';

export interface Recipient {
  readonly id: NodeId;
  /** Its messages get lost, but for those that cannot. */
  readonly isDropping: boolean;
}

/** More rounds than any group needs to come to rest. */
const ROUNDS_MAX = 10_000;

export class Environment {
  readonly output = new Output();
  readonly #nodes: TranscriptNode[] = [];
  /** Sent and not yet delivered, the oldest first. */
  #messages: WireMessage[] = [];

  get nodes(): readonly TranscriptNode[] {
    return this.#nodes;
  }

  nodeOf(id: NodeId): TranscriptNode {
    const node = this.#nodes.find((candidate) => candidate.id === id);
    if (node === undefined) throw new DirectiveError(`there is no node ${decimal(id)}`);
    return node;
  }

  addNodes(count: number, plan: NodePlan): void {
    for (let added = 0; added < count; added += 1) {
      this.#nodes.push(new TranscriptNode(nodeId(this.#nodes.length + 1), plan));
    }
  }

  send(...messages: readonly WireMessage[]): void {
    this.#messages.push(...messages);
  }

  processReady(node: TranscriptNode): void {
    const printed = node.takeReady();
    this.output.print(...describeReady(printed));
    const { ready, messages } = printed;
    if (ready === undefined) return;
    if (!node.plan.isAsync) node.carryOut(ready);
    for (const message of messages) {
      if (message.type === 'MsgStorageAppend') node.appendWork.push(message);
      else if (message.type === 'MsgStorageApply') node.applyWork.push(message);
      else this.send(message);
    }
    if (!node.plan.isAsync) node.advance(ready);
  }

  /** One piece of work of the append thread. */
  processAppendThread(node: TranscriptNode): void {
    this.#processThread(node.appendWork, 'no append work to perform', (work) => node.store(work));
  }

  /** One piece of work of the apply thread. */
  processApplyThread(node: TranscriptNode): void {
    this.#processThread(node.applyWork, 'no apply work to perform', ({ entries }) =>
      node.apply(entries),
    );
  }

  #processThread(
    queue: WireMessage[],
    nothing: string,
    carryOut: (work: WireMessage) => void,
  ): void {
    const work = queue.shift();
    if (work === undefined) {
      this.output.print(nothing);
      return;
    }
    this.output.print('Processing:', ...describeMessage({ ...work, responses: [] }));
    carryOut(work);
    const answers = work.responses.flatMap((response) => describeMessage(response));
    this.output.print('Responses:', ...answers);
    this.send(...work.responses);
  }

  /**
   * Delivers or drops the messages for each recipient, in the order of their sending.
   *
   * @param type only these; all without it
   * @returns how many there were
   */
  deliver(recipients: readonly Recipient[], type?: WireType): number {
    let count = 0;
    for (const recipient of recipients) {
      const messages = this.#take(recipient, type);
      for (const message of messages) this.#deliverOne(message, recipient.isDropping);
      count += messages.length;
    }
    return count;
  }

  #take({ id, isDropping }: Recipient, type: WireType | undefined): readonly WireMessage[] {
    const isWanted = (message: WireMessage) =>
      message.to === id &&
      !(isDropping && isLocal(message)) &&
      (type === undefined || message.type === type);
    const taken = this.#messages.filter(isWanted);
    this.#messages = this.#messages.filter((message) => !isWanted(message));
    return taken;
  }

  #deliverOne(message: WireMessage, isDropped: boolean): void {
    const [first = '', ...others] = describeMessage(message);
    this.output.print(isDropped ? `dropped: ${first}` : first, ...others);
    if (isDropped) return;
    const refusal = this.nodeOf(message.to).receive(message);
    if (refusal !== undefined) this.output.print(refusal);
  }

  /** Does everything that `nodes` have to do, until there is nothing left. */
  stabilize(nodes: readonly TranscriptNode[]): void {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const hasWorked = [
        ...nodes.map((node) => this.#handleReady(node)),
        ...nodes.map((node) => this.#receiveAll(node)),
        ...nodes.map((node) => this.#drain(node, 'append')),
        ...nodes.map((node) => this.#drain(node, 'apply')),
      ].includes(true);
      if (!hasWorked) return;
    }
    throw new Error(`the nodes do not come to rest in ${ROUNDS_MAX} rounds`);
  }

  #handleReady(node: TranscriptNode): boolean {
    if (!node.hasReady) return false;
    const heading = `> ${decimal(node.id)} handling Ready`;
    this.output.under(heading, () => this.processReady(node));
    return true;
  }

  #receiveAll({ id }: TranscriptNode): boolean {
    if (!this.#messages.some(({ to }) => to === id)) return false;
    const heading = `> ${decimal(id)} receiving messages`;
    this.output.under(heading, () => this.deliver([{ id, isDropping: false }]));
    return true;
  }

  #drain(node: TranscriptNode, thread: 'append' | 'apply'): boolean {
    const queue = thread === 'append' ? node.appendWork : node.applyWork;
    if (queue.length === 0) return false;
    this.output.under(`> ${decimal(node.id)} processing ${thread} thread`, () => {
      while (queue.length > 0) {
        if (thread === 'append') this.processAppendThread(node);
        else this.processApplyThread(node);
      }
    });
    return true;
  }
}
