/**
 * A small but real mail server: SMTP in, POP3 out, one file per message.
 *
 * It is the service that the demo and the tests of mailraft keep alive. It knows nothing
 * of mailraft: it could be any program that keeps its state in files.
 */

import { type MailServerOptions, parseArguments, USAGE } from './arguments.ts';
import { MessageStore } from './message-store.ts';
import { Pop3Server } from './pop3-server.ts';
import { SmtpReceiver } from './smtp-receiver.ts';

const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
/** Messages being stored may finish within this time of a stop; then the process ends. */
const STOP_MS_MAX = 80;

async function main(options: MailServerOptions): Promise<void> {
  const { name, store: root, smtp, pop3 } = options;
  const store = await MessageStore.open({ root, name, messageBytesMax: MESSAGE_BYTES_MAX });
  const pop3Server = await Pop3Server.listen({ listen: pop3, name, directory: store.directory });
  const receiver = await SmtpReceiver.listen({
    listen: smtp,
    name,
    messageBytesMax: MESSAGE_BYTES_MAX,
    store,
    stopMsMax: STOP_MS_MAX,
  });
  stopOnSignal([receiver, pop3Server]);
  process.stdout.write(
    `ready smtp=${smtp.host}:${receiver.port} pop3=${pop3.host}:${pop3Server.port}\n`,
  );
}

function stopOnSignal(servers: readonly { stop(): Promise<void> }[]): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    // A client that does not close its side, or a disk that hangs, does not hold the exit.
    setTimeout(() => process.exit(0), STOP_MS_MAX);
    void Promise.all(servers.map((server) => server.stop())).then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

// Whoever started this may be gone; the service goes on without its output.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

try {
  await main(parseArguments(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exit(1);
}
