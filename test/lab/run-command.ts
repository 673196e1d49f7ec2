/** Commands that are run to their end: what they printed, or an error that says why not. */

import { execFile } from 'node:child_process';

/** Runs `argv`, feeds it `input`, returns what it wrote to its standard output. */
export function runCommand(argv: readonly string[], input = ''): Promise<string> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = execFile(program, rest, { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${argv.join(' ')}: ${stderr.trim() || error.message}`));
    });
    // The command may end without reading what it is given; its exit code tells.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
