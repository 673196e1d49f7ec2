/** One mail of a line or two, sent as any client would. */

import { SmtpSession } from './smtp-session.ts';

/** Resolves with what the server answered to the message. */
export async function sendMail(host: string, port: number, subject: string): Promise<string> {
  const options = { host, port, connectMsMax: 1_000, replyMsMax: 3_000 };
  const session = await SmtpSession.open(options, () => {});
  try {
    await session.begin('you@example.com', 'reader@example.org');
    const lines = [
      'From: You <you@example.com>',
      'To: Reader <reader@example.org>',
      `Subject: ${subject}`,
      `Date: ${new Date().toUTCString()}`,
      '',
      'Sent by a key of the demo.',
      '',
    ];
    const { code, text } = await session.finish(Buffer.from(lines.join('\r\n')));
    return `${code} ${text}`;
  } finally {
    session.quit();
  }
}
