import { runDoctor } from './doctor';
import { runEmulator } from './emulator';
import { help } from './help';
import { runKey } from './key';

/**
 * Runs a command to its end.
 *
 * @param args the arguments after the name of the program
 * @returns the exit code: 0 if the command succeeded, 1 if it failed, 2 if the arguments are invalid
 */
export async function main(args: readonly string[], readVersion: () => string): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'emulator':
      return runEmulator(rest);
    case 'doctor':
      return runDoctor(rest);
    case 'key':
      return runKey(rest);
    case '--version':
    case '-v':
      console.log(readVersion());
      return 0;
    case '--help':
    case '-h':
    case 'help':
      console.log(help);
      return 0;
    case undefined:
      console.error(help);
      return 2;
    default:
      console.error(`Unknown ${command.startsWith('-') ? 'option' : 'command'} "${command}". Try --help.`);
      return 2;
  }
}
