/** What all verbs have in common: the options that stand before or after any of them, and how they end. */

import { type Command, InvalidArgumentError, Option } from 'commander';

export interface GlobalOptions {
  readonly config?: string;
  readonly url?: string;
  readonly tokenFile?: string;
  readonly output: 'text' | 'json';
}

/** The options that every verb takes. */
export function addGlobalOptions(program: Command): void {
  program
    .option(
      '--config <file>',
      'configuration of the node (default: mailraft.yaml, where it exists)',
    )
    .option('--url <url>', 'HTTP address of a node (default: that of the configuration)')
    .option('--token-file <file>', 'file with the token for calls that change something')
    .addOption(
      new Option('-o, --output <format>', 'how results are printed')
        .choices(['text', 'json'])
        .default('text'),
    );
}

/** Turns what a verb does into what commander calls; the verb's result is the exit code. */
export function ending<Options>(
  run: (options: GlobalOptions & Options) => Promise<number>,
): (options: unknown, command: Command) => Promise<void> {
  return async (_options, command) => {
    process.exitCode = await run(command.optsWithGlobals<GlobalOptions & Options>());
  };
}

/** Text below the help of a verb that shows how it is used. */
export function example(line: string): string {
  return `\nExample:\n  $ ${line}`;
}

/** A parser for options that take a whole number of `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`accepted is a whole number of ${min} to ${max}`);
  };
}
