/** Connects the guardian's core with the daemon, the machine and the drivers. */

import type { Duplex } from 'node:stream';
import type { AddressConfig } from '../../config/config.ts';
import { isMailraftError, MailraftError, messageOf } from '../../errors.ts';
import { findProcess } from '../../platform/linux/processes.ts';
import type { AddressDriver, AddressEvents } from '../address/address-driver.ts';
import { CommandDriver } from '../driver/command.ts';
import { findProtection, type Protection } from '../driver/protection.ts';
import { noService, type ServiceDriver, type ServiceEvents } from '../driver/service-driver.ts';
import { fenceLeadMs } from '../tenure/deadlines.ts';
import { Guardian, type KillTimer } from './guardian.ts';
import { KillThread } from './kill-timer.ts';
import { LineChannel } from './line-channel.ts';
import { momentNow } from './moment.ts';
import { writeService } from './records.ts';
import { takeOver } from './succession.ts';
import {
  type DaemonWord,
  type GuardianSettings,
  type GuardianWord,
  type LogLevel,
  parseDaemonWord,
} from './words.ts';

/** Also removes what a dead run left of the address, before it resolves. */
export type AddressFactory = (
  config: AddressConfig,
  events: AddressEvents,
) => Promise<AddressDriver>;

/** Lines of a log are not worth more memory than this when the daemon does not read. */
const WAITING_LOG_BYTES_MAX = 1 << 18;

/** Serves the daemon at the other end of `stream` until it is gone and nothing is held. */
export function runGuardian(stream: Duplex, makeAddress: AddressFactory): void {
  new GuardianProcess(stream, makeAddress);
}

class GuardianProcess {
  readonly #makeAddress: AddressFactory;
  readonly #channel: LineChannel;
  #hasBegun = false;
  #guardian: Guardian | undefined;
  #isDaemonGone = false;
  #isRefused = false;
  #heard = 0;
  #linesLost = 0;

  constructor(stream: Duplex, makeAddress: AddressFactory) {
    this.#makeAddress = makeAddress;
    this.#channel = new LineChannel(stream, {
      onWord: (word) => this.#hear(parseDaemonWord(word)),
      onEnd: () => this.#daemonGone(),
    });
  }

  #hear(word: DaemonWord): void {
    if (word.kind === 'begin') {
      if (!this.#hasBegun) void this.#begin(word.settings);
      this.#hasBegun = true;
      return;
    }
    if (this.#guardian === undefined) return;
    this.#guardian.obey(word.order, word.saidAt);
    this.#heard = word.number;
    this.#report();
  }

  async #begin(settings: GuardianSettings): Promise<void> {
    let note = 'lease';
    try {
      await succeed(settings);
      const isCommand = settings.service.driver === 'command';
      const protection = isCommand ? await findProtection() : undefined;
      if (protection !== undefined) note = `lease, ${protection.kind}`;
      const onChange = () => this.#report();
      const addresses = await Promise.all(
        settings.addresses.map((config) => this.#makeAddress(config, { onChange })),
      );
      const killTimer = await KillThread.start();
      this.#guardian = this.#makeGuardian({ settings, protection, addresses, killTimer });
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (this.#isDaemonGone) process.exit();
    this.#guardian.start();
    this.#say({ kind: 'ready', protection: note, report: this.#guardian.report });
  }

  #makeGuardian(parts: {
    readonly settings: GuardianSettings;
    readonly protection: Protection | undefined;
    readonly addresses: readonly AddressDriver[];
    readonly killTimer: KillTimer;
  }): Guardian {
    const { settings, protection, addresses, killTimer } = parts;
    const { ending, service } = settings;
    return new Guardian({
      makeService: (events) => serviceOf(settings, protection, events),
      addresses,
      ending,
      stopTimeoutMs: service.stopTimeoutMs,
      clock: momentNow,
      killTimer,
      events: {
        onChange: () => this.#report(),
        onLog: (level, text) => this.#log(level, text),
        onReleased: () => this.#exitIfAlone(),
      },
    });
  }

  #report(): void {
    if (this.#guardian === undefined) return;
    this.#say({ kind: 'report', heard: this.#heard, report: this.#guardian.report });
  }

  #log(level: LogLevel, text: string): void {
    if (this.#channel.waiting > WAITING_LOG_BYTES_MAX) {
      this.#linesLost += 1;
      return;
    }
    if (this.#linesLost > 0) {
      const lost = `${this.#linesLost} lines of the log were lost: the daemon did not read them`;
      this.#linesLost = 0;
      this.#say({ kind: 'log', level: 'warn', text: lost });
    }
    this.#say({ kind: 'log', level, text });
  }

  #refuse(error: unknown): void {
    const code = isMailraftError(error) ? error.code : 'SERVICE_FAILED';
    this.#say({ kind: 'refused', code, message: messageOf(error) });
    this.#isRefused = true;
    // The daemon closes the channel when it has read why.
    if (this.#isDaemonGone) process.exit();
  }

  #daemonGone(): void {
    this.#isDaemonGone = true;
    // While it begins, nothing is held yet; it ends when it would be ready.
    if (!this.#hasBegun || this.#isRefused) process.exit();
    this.#guardian?.daemonGone();
    this.#exitIfAlone();
  }

  #exitIfAlone(): void {
    if (this.#isDaemonGone && this.#guardian?.isHolding === false) process.exit();
  }

  #say(word: GuardianWord): void {
    this.#channel.send(word);
  }
}

function succeed({ dataDir, ending }: GuardianSettings): Promise<void> {
  const [guardian, daemon] = [findProcess(process.pid), findProcess(process.ppid)];
  if (guardian === undefined || daemon === undefined) {
    throw new MailraftError('SERVICE_FAILED', 'the guardian does not find itself in /proc');
  }
  const self = { guardian, daemon };
  return takeOver({ dataDir, self, patienceMs: fenceLeadMs(ending) });
}

function serviceOf(
  { node, dataDir, service }: GuardianSettings,
  protection: Protection | undefined,
  events: ServiceEvents,
): ServiceDriver {
  if (protection === undefined) return noService(events);
  return new CommandDriver(
    {
      node,
      argv: service.start,
      protection,
      onStarting: (processes) => writeService(dataDir, processes),
    },
    events,
  );
}
