/**
 * The one error class of the system, and the closed list of its codes.
 *
 * Callers branch on `code`, never on `message`. Each code says who must act:
 * the caller, the operator, or nobody (`INVARIANT` is a bug: the process says
 * what it found and exits).
 */

export type ErrorCode =
  /** A setting is missing, unknown or out of range. Operator: fix the file. */
  | 'CONFIG_INVALID'
  /** The command line was used wrongly. Operator: see `--help`. */
  | 'USAGE'
  /** This node does not lead or is not primary. Caller: ask the named leader. */
  | 'NOT_LEADER'
  /** No node leads, or the leader cannot reach a majority. Caller: try later. */
  | 'NO_QUORUM'
  /** A condition of the request does not hold. Caller: read the reason. */
  | 'PRECONDITION_FAILED'
  /** A safety check forbids the request. Operator: read the reason. */
  | 'REFUSED'
  /** The outcome is not known in time. Caller: look at the operation. */
  | 'TIMED_OUT'
  /** Missing or wrong token. Caller: send the bearer token of the token file. */
  | 'UNAUTHORIZED'
  /** What was asked for does not exist. Caller. */
  | 'NOT_FOUND'
  /** More work is waiting than the limit allows. Caller: try again later. */
  | 'OVERLOADED'
  /** A peer sent bytes that are not a frame. Its connection is dropped. */
  | 'FRAME_INVALID'
  /** A peer is of another cluster, incarnation or protocol. It is refused. */
  | 'PEER_REFUSED'
  /** A message or record has a shape that this version does not accept. */
  | 'DATA_INVALID'
  /** Stored bytes do not match their checksum. Operator: see the repair text. */
  | 'DATA_DAMAGED'
  /** No space left for the journal or a volume. Operator: free some. */
  | 'NO_SPACE'
  /** The disk failed; what it holds is unknown. The process exits. */
  | 'STORAGE_FAILED'
  /** A service, address or guardian did not do as told. Operator. */
  | 'SERVICE_FAILED'
  /** A state that the code proves impossible was reached. A bug. */
  | 'INVARIANT';

export class MailraftError extends Error {
  override readonly name = 'MailraftError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Narrows an unknown caught value, optionally to one code. */
export function isMailraftError(error: unknown, code?: ErrorCode): error is MailraftError {
  return error instanceof MailraftError && (code === undefined || error.code === code);
}

/** Throws `INVARIANT` unless `condition` holds. For bugs, never for bad input. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new MailraftError('INVARIANT', message);
}

/** The `code` of a failed system call (`ENOENT`, ...), if `error` is one. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}

/** The text of any thrown value, with the causes it names. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}
