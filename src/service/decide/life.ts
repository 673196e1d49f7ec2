/**
 * Where a node stands between being a secondary and being the primary.
 *
 * ```
 * secondary ─ elected ─ arming ─ opening ─ serving ─ stopping ─ flushing ─ handingOver ─ transferring
 *     ▲          │                  ▲         │                                │              │
 *     │          │                  └─────────┼──────── transfer failed ───────┴──────────────┘
 *     └── lead lost ──┴──── fencing ◀── lead or lease lost, while anything is held
 * ```
 */

/** Why a primary gives up its place, for history. */
export type Cause =
  | 'switchover'
  | 'shutdown'
  | 'service'
  | 'startDeadline'
  | 'illness'
  | 'leadLost'
  | 'leaseExpired'
  | 'guardianLost'
  /** Changes of files are not seen any more. */
  | 'captureLost'
  /** The log does not say that this tenure is open. */
  | 'recordLost'
  /** Something is held that no open tenure covers. */
  | 'stray';

export type Life =
  /** Follows, or leads without a right to serve. */
  | { readonly phase: 'secondary' }
  /** Leads and waits until it may open a tenure. */
  | { readonly phase: 'elected'; readonly term: number; readonly sinceMs: number }
  /** Capture is being armed: the service must not write unseen. */
  | { readonly phase: 'arming'; readonly term: number; readonly sinceMs: number }
  /** The tenure record is proposed and not yet committed. */
  | { readonly phase: 'opening'; readonly term: number; readonly sinceMs: number }
  | Serving
  /** A planned end: the service is asked to stop, the tenure goes on meanwhile. */
  | {
      readonly phase: 'stopping' | 'flushing';
      readonly term: number;
      readonly sinceMs: number;
      readonly cause: Cause;
      readonly to: string | undefined;
    }
  /** Service and address are gone; the record that says so is proposed, then its target asked. */
  | {
      readonly phase: 'handingOver' | 'transferring';
      readonly term: number;
      readonly sinceMs: number;
      readonly cause: Cause;
      readonly to: string;
    }
  /** An unplanned end: everything is dropped now. */
  | {
      readonly phase: 'fencing';
      readonly term: number;
      readonly sinceMs: number;
      readonly cause: Cause;
    };

/** The tenure is open: address and service are this node's. */
export interface Serving {
  readonly phase: 'serving';
  readonly term: number;
  /** When the present attempt to start began. */
  readonly sinceMs: number;
  /** When the service was first seen up in this tenure. */
  readonly upAtMs: number | undefined;
  /** Crashes already answered. */
  readonly crashesSeen: number;
  /** When the service was started anew, within the window of the budget. */
  readonly restartsAtMs: readonly number[];
}

export const SECONDARY: Life = { phase: 'secondary' };

/** What the guardian is to bring about. */
export type ServiceOrder = 'serve' | 'restart' | 'stop' | 'fence' | 'none';

export interface Orders {
  readonly capture: 'on' | 'off';
  readonly service: ServiceOrder;
  /** Record to propose now. */
  readonly propose:
    | { readonly kind: 'tenure' }
    | { readonly kind: 'handover'; readonly to: string }
    | undefined;
  /** Commit everything that the stopped service left. */
  readonly flush: boolean;
  readonly transfer: { readonly to: string; readonly handover: number } | undefined;
  /** Give up the lead. */
  readonly resign: boolean;
}

export interface Decision {
  readonly life: Life;
  readonly orders: Orders;
  /** Why the life did not move on, for `explain`; undefined when nothing stands in the way. */
  readonly waitsFor: string | undefined;
}
