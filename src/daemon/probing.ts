/**
 * When the probes ask, and when what they found is forgotten: they run while a tenure is
 * open, and begin anew whenever the service begins to be reachable, so that a question
 * which nobody could hear delays nothing.
 */

import type { Life } from '../service/decide/life.ts';
import type { GuardianPort } from './primary-control.ts';

export interface ProbesPort {
  readonly verdict: 'unknown' | 'passing' | 'failing';
  start(): void;
  stop(): void;
  reset(): void;
}

export class Probing {
  readonly #probes: ProbesPort;
  readonly #guardian: GuardianPort;
  #wasReachable = false;

  constructor(probes: ProbesPort, guardian: GuardianPort) {
    this.#probes = probes;
    this.#guardian = guardian;
  }

  /** The guardian, through which every order to start anew is seen here. */
  get guardian(): GuardianPort {
    const guardian = this.#guardian;
    return {
      facts: (epoch) => guardian.facts(epoch),
      serve: (epoch, deadlines) => guardian.serve(epoch, deadlines),
      restart: (epoch, deadlines) => {
        // What the service answered before proves nothing.
        this.#probes.reset();
        guardian.restart(epoch, deadlines);
      },
      stop: (epoch, deadlines) => guardian.stop(epoch, deadlines),
      fence: (epoch) => guardian.fence(epoch),
    };
  }

  /** The life is in another phase. */
  moved(after: Life): void {
    if (after.phase === 'serving') this.#probes.start();
    else this.#probes.stop();
  }

  /** A fact of the guardian may have changed. */
  look(life: Life): void {
    const facts = life.phase === 'serving' ? this.#guardian.facts(life.term) : undefined;
    const isReachable = facts?.service === 'running' && facts.areAddressesHeld;
    // A connection that was asked for before is asked for again only after a second.
    if (isReachable && !this.#wasReachable) this.#probes.reset();
    this.#wasReachable = isReachable;
  }

  stop(): void {
    this.#probes.stop();
  }
}
