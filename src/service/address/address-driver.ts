/**
 * A shared address as the guardian holds it, whatever the way.
 *
 * Every call returns at once. Nothing here starts a process once the driver is made:
 * dropping must work on a machine that has no memory left to fork.
 */

export interface AddressDriver {
  /** As people write it: `10.77.0.100/24`, or `127.0.0.1:2525`. */
  readonly label: string;
  readonly isHeld: boolean;
  /** How often it was announced to the network. */
  readonly announcements: number;
  /** What keeps it from being held, in words. */
  readonly problem: string | undefined;
  /** How far the kernel ends it by itself: to the millisecond, to the second, or with the process. */
  readonly expiry: 'exact' | 'seconds' | 'process';
  /** Why `expiry` is less than it could be, in words. */
  readonly note?: string | undefined;
  /**
   * Takes the address, or holds it longer.
   *
   * @param untilMs on the boot-time clock: when it must be gone at the latest, also when
   *   no process of ours runs any more
   */
  hold(untilMs: number): void;
  /** Gives it up now. May be called at any time, also when it is not held. */
  drop(): void;
  close(): void;
}

export interface AddressEvents {
  /** `isHeld` or `problem` changed. */
  onChange(): void;
}
