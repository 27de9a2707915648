import { parseArgs, type ParseArgsConfig } from 'node:util';

/** How the command line of a command is read. */
export interface Command<T> {
  name: string;
  help: string;
  /** Reads the arguments. @throws Error whose message is a sentence for the operator */
  parse: (args: readonly string[]) => T | 'help';
}

/**
 * Reads the arguments of a command. Prints the help of the command if the arguments ask for help.
 *
 * @returns what the arguments say, or the exit code: 0 if the help was printed, 2 if the arguments are invalid
 */
export function readCommand<T extends object>({ name, help, parse }: Command<T>, args: readonly string[]): T | 0 | 2 {
  try {
    const parsed = parse(args);
    if (parsed !== 'help') return parsed;
    console.log(help);
    return 0;
  } catch (error) {
    console.error(`${(error as Error).message} Try "${name} --help".`);
    return 2;
  }
}

type OptionsConfig = NonNullable<ParseArgsConfig['options']>;

/** What `parseArgs` reads with these options. */
type ArgumentValues<T extends OptionsConfig> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/**
 * Reads options from the arguments. Errors of `parseArgs` are shortened to their first sentence: the rest is advice on "--" that
 * does not apply.
 *
 * @throws Error whose message is a sentence for the operator
 */
export function readArguments<const T extends OptionsConfig>(args: readonly string[], options: T): ArgumentValues<T> {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`${message.split(/\. |\.$|\n/)[0] ?? message}.`, { cause: error });
  }
}
