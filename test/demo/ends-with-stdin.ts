/** Loaded into a program before it starts: it ends when whoever started it is gone. */

process.stdin.once('end', () => process.exit(0));
process.stdin.once('error', () => process.exit(0));
process.stdin.resume();
