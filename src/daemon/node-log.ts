/** What happens in a node, told to its log, its listeners and its counters. */

import type { HttpServer } from '../net/http/http-server.ts';
import type { NodeMetrics } from '../net/http/metrics.ts';
import type { Logger } from '../platform/log.ts';
import type { Decree, HistoryRecord } from '../replication/command/decree.ts';
import type { ReplicationEvent } from '../replication/parts.ts';
import type { Life } from '../service/decide/life.ts';
import type { MemberEvent } from './member.ts';
import { rosterChanges } from './members/roster-changes.ts';
import type { NodeCounts } from './node-parts.ts';

const PATHS_SHOWN = 20;

export class NodeLog {
  readonly #log: Logger;
  readonly #metrics: NodeMetrics;
  readonly #counts: NodeCounts;
  readonly #publish: HttpServer['publish'];
  /** The last word about each link: attempts that fail alike are worth one line. */
  readonly #links = new Map<string, string>();
  #absence = '';

  constructor(parts: {
    readonly log: Logger;
    readonly metrics: NodeMetrics;
    readonly counts: NodeCounts;
    readonly publish: HttpServer['publish'];
  }) {
    this.#log = parts.log;
    this.#metrics = parts.metrics;
    this.#counts = parts.counts;
    this.#publish = parts.publish;
  }

  member(event: MemberEvent): void {
    switch (event.kind) {
      case 'standing':
        this.#standing(event.standing);
        return;
      case 'life':
        this.#life(event.before, event.after);
        return;
      case 'serving':
        this.#tell(
          'serving',
          { epoch: event.epoch },
          'the service is up: this node is the primary',
        );
        return;
      case 'decree':
        this.#decree(event.decree);
        return;
      case 'space': {
        const text = event.hasSpace ? 'the journal has space again' : 'the journal has no space';
        this.#warn('space', { hasSpace: event.hasSpace }, text);
        return;
      }
      case 'muted':
        this.#muted(event.isMuted);
        return;
      case 'members':
        for (const text of rosterChanges(event.before, event.after)) {
          this.#tell('members', { members: event.after.map(({ id }) => id) }, text);
        }
        return;
      case 'committed':
        this.#metrics.observeCommit(event.ms / 1000);
    }
  }

  replication(event: ReplicationEvent): void {
    switch (event.kind) {
      case 'salvaged': {
        const { id, reason, files } = event.manifest;
        const fields = { id, reason, files: files.length };
        this.#warn('salvaged', fields, `${files.length} files are kept aside: ${reason}`);
        return;
      }
      case 'drift': {
        this.#counts.driftFiles += event.paths.length;
        const fields = { volume: event.volume, paths: event.paths.slice(0, PATHS_SHOWN) };
        this.#warn('drift', fields, 'files were changed here that only the primary may change');
        return;
      }
      case 'overflow':
        this.#warn('overflow', {}, 'the kernel lost events: all volumes are gone through again');
        return;
      case 'unsupported': {
        const { volume, path, reason } = event;
        this.#warn('unsupported', { volume, path, reason }, 'this can not be replicated');
        return;
      }
      case 'settled':
        this.#tell('settled', { ...event }, `the files are settled as of entry ${event.index}`);
        return;
      case 'resynced':
        this.#tell('resynced', { ...event }, `the state was fetched as of entry ${event.index}`);
        return;
      case 'waiting':
        this.#warn('waiting', { reason: event.reason }, `replication waits: ${event.reason}`);
    }
  }

  guardian(level: 'info' | 'warn' | 'error', text: string): void {
    this.#log[level]({ from: 'guardian' }, text);
  }

  guardianLost(reason: string): void {
    this.#counts.renewalFailures += 1;
    this.#warn('guardianLost', { reason }, `the guardian is lost: ${reason}`);
  }

  link(peer: string, channel: string, text: string): void {
    const link = `${peer} ${channel}`;
    if (this.#links.get(link) === text) return;
    this.#links.set(link, text);
    this.#log.info({ peer, channel }, `${peer}: ${text}`);
  }

  /** This node takes no part in its cluster. */
  absent(reason: string): void {
    if (this.#absence === reason) return;
    this.#absence = reason;
    this.#warn('absent', { reason }, reason);
  }

  #muted(isMuted: boolean): void {
    const text = isMuted
      ? 'the leader counts on entries that are lost here: no vote before they are back'
      : 'the journal is whole again: this node votes';
    if (isMuted) this.#warn('muted', { isMuted }, text);
    else this.#tell('muted', { isMuted }, text);
  }

  #standing({ role, term, leader }: Extract<MemberEvent, { kind: 'standing' }>['standing']): void {
    if (leader !== '') this.#counts.leaderChanges += 1;
    const text = leader === '' ? `${role}, no leader is known` : `${role}, ${leader} leads`;
    this.#tell('standing', { role, term, leader }, text);
  }

  #life(before: Life, after: Life): void {
    const cause = 'cause' in after ? after.cause : undefined;
    const fields = { from: before.phase, to: after.phase, cause };
    this.#tell('life', fields, cause === undefined ? after.phase : `${after.phase}: ${cause}`);
  }

  #decree(decree: Decree): void {
    if (decree.kind === 'history') this.#history(decree.record);
  }

  #history(record: HistoryRecord): void {
    const { failovers } = this.#counts;
    failovers.set(record.event, (failovers.get(record.event) ?? 0) + 1);
    for (const { name, ms } of record.phases) this.#metrics.observePhase(name, ms / 1000);
    const text = `${record.event}: ${record.to} serves in epoch ${record.epoch}, ${record.cause}`;
    this.#tell('history', { ...record }, text);
  }

  #tell(kind: string, fields: Readonly<Record<string, unknown>>, text: string): void {
    this.#log.info({ event: kind, ...fields }, text);
    this.#publish({ ...fields, kind, text });
  }

  #warn(kind: string, fields: Readonly<Record<string, unknown>>, text: string): void {
    this.#log.warn({ event: kind, ...fields }, text);
    this.#publish({ ...fields, kind, text });
  }
}
