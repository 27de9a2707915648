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
