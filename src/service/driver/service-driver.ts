/**
 * A service as the guardian runs it, whatever the way.
 *
 * Every call returns at once. Asking it to stop and killing it start no process:
 * both must work on a machine that has no memory left to fork.
 */

import type { ProcessIdentity } from '../../platform/linux/processes.ts';

export interface ServiceDriver {
  /** `stopped` means that nothing of it is left. */
  readonly state: 'stopped' | 'starting' | 'running';
  /** The service's own process, once it is known. */
  readonly pid: number | undefined;
  /** Whose end is the end of the service; each may lead a process group. */
  readonly processes: readonly ProcessIdentity[];
  /** Only when it is stopped. */
  start(epoch: number): void;
  /** Asks it to stop. */
  terminate(): void;
  /** Ends whatever is left of it. */
  kill(): void;
  /** Looks what became of it; called every few milliseconds. */
  look(): void;
}

export interface ServiceEvents {
  /** `state`, `pid` or `processes` changed. */
  onChange(): void;
  /** Nothing of it is left; `how` it ended, for people. */
  onEnded(how: string): void;
  /** A line that it wrote. */
  onLine(line: string): void;
}

/** No service at all: the node holds addresses and nothing else. */
export function noService(events: Pick<ServiceEvents, 'onChange' | 'onEnded'>): ServiceDriver {
  let state: ServiceDriver['state'] = 'stopped';
  const end = () => {
    if (state === 'stopped') return;
    state = 'stopped';
    events.onEnded('it was asked to');
  };
  return {
    get state() {
      return state;
    },
    pid: undefined,
    processes: [],
    start: () => {
      state = 'running';
      events.onChange();
    },
    terminate: end,
    kill: end,
    look: () => undefined,
  };
}
