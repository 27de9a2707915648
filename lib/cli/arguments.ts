/** A command as its command line is read. */
export interface Command<T> {
  name: string;
  help: string;
  /** Reads the arguments. @throws Error with a sentence for the person who typed them */
  parse: (args: readonly string[]) => T | 'help';
}

/**
 * Reads the arguments of a command, and prints its help if that is asked for.
 *
 * @returns what the arguments say, or the exit code: 0 the help was printed, 2 they were not understood
 */
export function readCommand<T extends object>({ name, help, parse }: Command<T>, args: readonly string[]): T | 0 | 2 {
  try {
    const given = parse(args);
    if (given !== 'help') return given;
    console.log(help);
    return 0;
  } catch (error) {
    console.error(`${(error as Error).message} Try "${name} --help".`);
    return 2;
  }
}

/**
 * Runs `parseArgs`, whose messages go on about "--": the first sentence says it all.
 *
 * @throws Error with a sentence for the person who typed the arguments
 */
export function readArguments<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`${message.split(/\. |\.$|\n/)[0] ?? message}.`, { cause: error });
  }
}
