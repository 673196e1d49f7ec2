/**
 * Three real nodes on this machine for tests that hurt them: mail goes in through the
 * shared address, barriers cover it, and in the end it is on every disk, byte for byte.
 */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { parse, stringify } from 'yaml';
import { areInSync, standingOf } from '../../src/cli/demo/cluster-sync.ts';
import { DemoCluster } from '../../src/cli/demo/demo-cluster.ts';
import { DEMO_HOST, type DemoNode } from '../../src/cli/demo/demo-layout.ts';
import { SmtpSession } from '../../src/cli/demo/smtp-session.ts';
import { compareTrees } from '../../src/cli/demo/tree-compare.ts';
import { walkTree } from '../../src/cli/demo/tree-walk.ts';
import { isMailraftError, messageOf, systemCode } from '../../src/errors.ts';
import type { SalvageEntry, StatusReport } from '../../src/net/http/node-port.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';

const IDS = ['n1', 'n2', 'n3'] as const;
const BOOT_MS_MAX = 30_000;
export const RECOVERY_MS_MAX = 30_000;
const BARRIER_S = 15;
const SEND_AGAIN_MS = 100;
/** What a journal needs at least, says the configuration. */
const JOURNAL_BYTES = '64MiB';

export class ThreeNodes {
  readonly cluster: DemoCluster;
  /** Those that have the files. */
  readonly dataIds: readonly string[];
  readonly #unmounts: (() => void | Promise<void>)[] = [];
  #mails = 0;

  private constructor(cluster: DemoCluster, dataIds: readonly string[]) {
    this.cluster = cluster;
    this.dataIds = dataIds;
  }

  /**
   * Folders and configurations; no daemon runs yet. All is gone when the test is over.
   *
   * @param options.witness the node that has a vote and no files, if one has
   * @param options.others nodes beside the three, which are no members yet
   */
  static async create(
    t: Test,
    {
      witness,
      others = [],
    }: { readonly witness?: string; readonly others?: readonly string[] } = {},
  ): Promise<ThreeNodes> {
    const dataIds = IDS.filter((id) => id !== witness);
    const nodes = new ThreeNodes(await DemoCluster.create({ others }), dataIds);
    const { folder } = nodes.cluster.layout;
    t.teardown(async () => {
      await nodes.cluster.close(true);
      for (const unmount of nodes.#unmounts) await unmount();
      rmSync(folder, { recursive: true, force: true });
    });
    for (const { configFile } of nodes.cluster.layout.nodes) {
      const config = parse(readFileSync(configFile, 'utf8'));
      for (const member of config.members) if (member.id === witness) member.role = 'witness';
      if (config.node.id === witness) {
        for (const key of ['volumes', 'service', 'address']) delete config[key];
      }
      writeFileSync(configFile, stringify({ ...config, journal: { maxSize: JOURNAL_BYTES } }));
    }
    return nodes;
  }

  get ids(): readonly string[] {
    return IDS;
  }

  /** Gives a folder a small disk of its own; returns why not, if it can not have one. */
  mount(path: string, bytes: number): string | undefined {
    const where = { path, onClose: (close: () => void | Promise<void>) => this.#onClose(close) };
    return mountSmallDisk(where, path, bytes);
  }

  /** All three run, one serves, and some mail is everywhere. */
  async serve(): Promise<void> {
    for (const id of IDS) this.cluster.start(id);
    await this.primary(BOOT_MS_MAX);
    await this.deliver(5);
    // Without it a mail that no capture has seen yet would go to salvage when all are killed.
    await this.barrier();
    await this.converged();
  }

  node(id: string): DemoNode {
    return this.cluster.node(id);
  }

  journalOf(id: string): string {
    return join(this.node(id).dataDir, 'journal');
  }

  /** Everything that the daemons of a node have logged. */
  logOf(id: string): string {
    return readFileSync(this.node(id).logFile, 'utf8');
  }

  async status(id: string): Promise<StatusReport> {
    const status = await this.cluster.status(id);
    if (status === undefined) throw new Error(`${id} does not answer: ${this.#tail(id)}`);
    return status;
  }

  /** Waits until a node serves that is not `other`. */
  async primary(withinMs: number = RECOVERY_MS_MAX, other = ''): Promise<string> {
    let id: string | undefined;
    const isThere = async (): Promise<boolean> => {
      id = await this.cluster.primary();
      return id !== undefined && id !== other;
    };
    await this.#until(isThere, `a primary${other === '' ? '' : ` other than ${other}`}`, withinMs);
    return id ?? '';
  }

  /** Those with the files that do not serve: two, or with a witness one. */
  async secondaries(): Promise<readonly [string, string]> {
    const primary = await this.primary();
    const [first = '', second = ''] = this.dataIds.filter((id) => id !== primary);
    return [first, second];
  }

  /** Waits for something that the status of a node says. */
  async says(id: string, what: string, look: (status: StatusReport) => boolean): Promise<void> {
    const isSaid = async (): Promise<boolean> => {
      const status = await this.cluster.status(id);
      return status !== undefined && look(status);
    };
    await this.#until(isSaid, `${id} says: ${what}`);
  }

  /** Waits for something that the daemons of a node log. */
  async logs(id: string, text: string | RegExp): Promise<void> {
    const isLogged = (): boolean => this.logOf(id).match(text) !== null;
    await this.#until(isLogged, `${id} logs ${text}`);
  }

  /** Waits until the daemon ended by itself; returns how. */
  async ended(id: string): Promise<string> {
    await this.#until(() => this.cluster.endOf(id) !== undefined, `${id} ends`);
    return this.cluster.endOf(id) ?? '';
  }

  /** Sends mails one after the other, each until it is answered; returns their marks. */
  async deliver(count: number, bytes = 2_000): Promise<readonly string[]> {
    const marks: string[] = [];
    for (let mail = 0; mail < count; mail += 1) {
      this.#mails += 1;
      const mark = `mark-${this.#mails}-of-this-test`;
      let answer = '';
      const isTaken = async (): Promise<boolean> => {
        answer = await this.send(mark, bytes);
        if (answer.startsWith('250')) return true;
        await new Promise((resolve) => setTimeout(resolve, SEND_AGAIN_MS));
        return false;
      };
      await this.#until(isTaken, () => `${mark} is taken (${answer})`);
      marks.push(mark);
    }
    return marks;
  }

  /** Sends one mail; resolves with the answer, or with why there was none. */
  async send(mark: string, bytes: number): Promise<string> {
    const { smtpPort: port } = this.cluster.layout;
    const options = { host: DEMO_HOST, port, connectMsMax: 1_000, replyMsMax: 5_000 };
    try {
      const session = await SmtpSession.open(options, () => {});
      try {
        await session.begin('you@example.com', 'reader@example.org');
        const line = `${'all work and no play '.repeat(3)}\r\n`;
        const body = line.repeat(Math.ceil(bytes / line.length));
        const { code, text } = await session.finish(Buffer.from(`Subject: ${mark}\r\n\r\n${body}`));
        return `${code} ${text}`;
      } finally {
        session.quit();
      }
    } catch (error) {
      if (isMailraftError(error) || systemCode(error) !== undefined) return messageOf(error);
      throw error;
    }
  }

  /** Everything that was written by now is committed. */
  async barrier(): Promise<void> {
    const isCovered = async (): Promise<boolean> => {
      const primary = await this.primary();
      const answer = await this.cluster.client(primary).operate('/v1/barrier', BARRIER_S);
      return answer?.status === 200;
    };
    await this.#until(isCovered, 'a barrier is answered');
  }

  /** All of these run, have the same files and nothing on its way, on their disks as well. */
  async converged(ids: readonly string[] = this.dataIds): Promise<void> {
    let standings = '';
    const isLevel = async (): Promise<boolean> => {
      const statuses = (await this.cluster.statuses()).filter(({ node }) => ids.includes(node));
      standings = statuses.map(standingOf).join('\n');
      return statuses.length === ids.length && areInSync(statuses);
    };
    await this.#until(isLevel, () => `${ids.join(', ')} are level\n${standings}`);
  }

  /** Where the trees of two nodes differ. */
  async differences(a: string, b: string): Promise<readonly string[]> {
    const trees = [await walkTree(this.node(a).volume), await walkTree(this.node(b).volume)];
    return compareTrees(...(trees as [never, never])).texts;
  }

  /** The proof: all trees are equal, and each mail is in them. */
  async prove(t: Test, marks: readonly string[], message: string): Promise<void> {
    await this.converged();
    const [first = '', ...others] = this.dataIds;
    for (const id of others) t.same(await this.differences(first, id), [], message);
    t.same(await this.lacking(first, marks), [], `${message}: nothing covered is lost`);
  }

  /** Paths of what a node has kept aside, each with its size and why. */
  async salvaged(id: string): Promise<readonly string[]> {
    const answer = await this.cluster.client(id).get('/v1/salvage');
    const entries = (answer ?? []) as readonly SalvageEntry[];
    return entries.flatMap(({ files }) =>
      files.map(({ path, bytes, reason }) => `${path}, ${bytes} bytes: ${reason}`),
    );
  }

  /** Those of the mails that a node has not. */
  async lacking(id: string, marks: readonly string[]): Promise<readonly string[]> {
    const { volume } = this.node(id);
    const files = [...(await walkTree(volume))].filter(([, { type }]) => type === 'file');
    const texts = files.map(([path]) => readFileSync(join(volume, path), 'latin1'));
    return marks.filter((mark) => !texts.some((text) => text.includes(`Subject: ${mark}\r\n`)));
  }

  #onClose(close: () => void | Promise<void>): void {
    this.#unmounts.unshift(close);
  }

  async #until(
    isReached: () => boolean | Promise<boolean>,
    what: string | (() => string),
    withinMs: number = RECOVERY_MS_MAX,
  ): Promise<void> {
    const { ids } = this.cluster;
    const tails = (): string =>
      ids
        .filter((id) => this.cluster.isUp(id))
        .map((id) => this.#tail(id))
        .join('\n');
    const told = (): string => `${typeof what === 'string' ? what : what()}\n${tails()}`;
    await until(isReached, told, withinMs);
  }

  #tail(id: string): string {
    return `--- ${id}\n${this.logOf(id).trimEnd().split('\n').slice(-12).join('\n')}`;
  }
}
