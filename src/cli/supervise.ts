/**
 * The life of a daemon's process, until a signal or a failure ends it. Whatever
 * goes wrong unforeseen ends the process at once: the guardian then ends the
 * service, which is safe, where going on would not be.
 */

import type { RunningNode } from '../daemon/start-node.ts';
import { isMailraftError, messageOf } from '../errors.ts';
import type { LogFields, Logger } from '../platform/log.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';

const FAILED: ExitCode = EXIT.conditionNotMet;

/** Starts a node and keeps it until it is told to stop or fails; the exit code of the process. */
export async function supervise(log: Logger, start: () => Promise<RunningNode>): Promise<ExitCode> {
  dieOfWhatNobodyCaught(log);
  const toldToStop = stopSignal(log);
  try {
    const node = await start();
    const failure = await Promise.race([toldToStop, node.failed]);
    if (failure !== undefined) {
      log.error(fieldsOf(failure), `the node failed: ${messageOf(failure)}`);
      return FAILED;
    }
    await node.stop();
    log.info({}, 'stopped');
    return EXIT.done;
  } catch (error) {
    log.error(fieldsOf(error), `the node can not go on: ${messageOf(error)}`);
    return exitCodeOf(error);
  }
}

/** Resolves at the first signal; the second one ends the process there and then. */
function stopSignal(log: Logger): Promise<undefined> {
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (isStopping) {
        log.warn({ signal }, 'told to stop again, ending at once');
        process.exit(FAILED);
      }
      isStopping = true;
      log.info({ signal }, 'told to stop');
      resolve(undefined);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

function dieOfWhatNobodyCaught(log: Logger): void {
  const die = (error: unknown): void => {
    log.error(fieldsOf(error), `unforeseen, ending: ${messageOf(error)}`);
    process.exit(FAILED);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

function fieldsOf(error: unknown): LogFields {
  return isMailraftError(error) ? { code: error.code, error } : { error };
}
