/** What the observer says: events while it watches, violations and one summary at the end. */

/** Times are milliseconds of CLOCK_MONOTONIC, the clock of `process.hrtime`. */
export interface HolderInterval {
  readonly mac: string;
  /** The port of the switch, which bears the name of the machine. */
  readonly machine: string;
  /** When the first request that it answered was sent. */
  readonly fromMs: number;
  /** When its last answer came. */
  readonly toMs: number;
  readonly answers: number;
}

export interface ServiceInterval {
  readonly machine: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly samples: number;
}

export interface Announcement {
  readonly atMs: number;
  readonly mac: string;
  readonly machine: string;
  readonly kind: 'request' | 'reply';
}

export interface Violation {
  readonly violation: 'doubleService' | 'doubleAddress';
  readonly fromMs: number;
  readonly toMs: number;
  readonly samples: number;
  /** The machines that did it, by name. */
  readonly who: readonly string[];
}

export type ObserverEvent =
  | { readonly event: 'ready'; readonly atMs: number }
  | { readonly event: 'progress'; readonly atMs: number; readonly samples: number }
  | { readonly event: 'machine'; readonly atMs: number; readonly machine: string }
  | {
      readonly event: 'holder';
      readonly atMs: number;
      readonly machine: string;
      readonly mac: string;
      readonly holds: boolean;
    }
  | {
      readonly event: 'service';
      readonly atMs: number;
      readonly machine: string;
      readonly runs: boolean;
    }
  | {
      readonly event: 'announcement';
      readonly atMs: number;
      readonly machine: string;
      readonly mac: string;
    }
  | {
      readonly event: 'violation';
      readonly atMs: number;
      readonly violation: Violation['violation'];
      readonly who: readonly string[];
    };

export interface ObserverSummary {
  /** The shared address that was watched. */
  readonly observer: string;
  /** Rounds of the loop in which both the address and the services were looked at. */
  readonly samples: number;
  /** The larger of the two below. */
  readonly longestGapMs: number;
  /** Between two requests for the shared address. */
  readonly longestAddressGapMs: number;
  /** Between two looks at the processes. */
  readonly longestServiceGapMs: number;
  /** Samples that found the service running on two machines. */
  readonly doubleService: number;
  /** Requests that were answered by two. */
  readonly doubleAddress: number;
  readonly holders: readonly HolderInterval[];
  readonly services: readonly ServiceInterval[];
  readonly announcements: readonly Announcement[];
  /** ARP frames that came in by the ports. */
  readonly arpFrames: number;
  /** Frames that were lost to the observer. */
  readonly arpDropped: number;
  /** What the scheduler granted: `fifo`, `nice`, `slice` or `normal`. */
  readonly priority: string;
  /** The observer was blind for too long, or lost frames: the run proves nothing. */
  readonly void: boolean;
}

/** Samples between two events of progress. */
export const PROGRESS_SAMPLES = 25;

/** Blind for longer than this makes a run void. */
export const GAP_MS_MAX = 100;
