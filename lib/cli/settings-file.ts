import { readFileSync, statSync, writeFileSync } from 'node:fs';

/** Values that every reader of such files takes as they are. */
const plain = /^[\w.:/@%+,=~-]+$/;

/** Quotes of `node --env-file` and dotenv. Neither has an escape for a quote; in double quotes both turn `\\n` into a line break. */
function quoteFor(value: string): string | undefined {
  return ["'", '`', '"'].find((quote) => !value.includes(quote) && !(quote === '"' && value.includes('\\')));
}

/** Whether a value can be written to a file of variables so that it is read back. */
export function isWritable(value: string): boolean {
  return !/[\0\r\n]/.test(value) && quoteFor(value) !== undefined;
}

/** A line of a file of variables. @throws TypeError if the value is not writable */
export function settingLine(name: string, value: string): string {
  if (plain.test(value)) return `${name}=${value}`;
  const quote = quoteFor(value);
  if (quote === undefined) throw new TypeError(`The value of ${name} cannot be quoted.`);
  return `${name}=${quote}${value}${quote}`;
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return plain.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Writes the settings to a new file. A file that has the same settings already is fine as well.
 *
 * @returns a sentence that says why there is no such file
 */
export function writeSettings(path: string, lines: readonly string[]): string | undefined {
  const text = `${lines.join('\n')}\n`;
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return notWritten(error as Error);
  }
  try {
    // Reading a terminal or a pipe would wait.
    if (!statSync(path).isFile()) return `The settings could not be written: ${path} exists already and is not a file.`;
    if (readFileSync(path, 'utf8') === text) return undefined;
  } catch (error) {
    return notWritten(error as Error);
  }
  return `${path} exists already and has other content. Name another file, or delete this one.`;
}

function notWritten({ message }: Error): string {
  return `The settings could not be written: ${message}`;
}
