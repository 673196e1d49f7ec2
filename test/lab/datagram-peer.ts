/**
 * A program for tests of the network itself: sends and prints UDP datagrams.
 *
 * A line `ADDRESS TEXT` on its input is sent to that address, upon which it
 * prints `sent TEXT`; a datagram that arrives is printed as its text. It prints
 * `ready` first. Datagrams are lost where the network loses them: nothing here
 * repeats or answers.
 */

import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const PORT = 7900;

const socket = createSocket('udp4');
socket.on('message', (message) => process.stdout.write(`${message.toString()}\n`));
socket.bind(PORT, () => process.stdout.write('ready\n'));

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [address, text = ''] = line.split(' ');
    socket.send(text, PORT, address, () => process.stdout.write(`sent ${text}\n`));
  })
  .on('close', () => socket.close());
