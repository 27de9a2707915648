import { DataError } from './errors';
import type { FieldValue } from './record';

const tokenPattern = /\s+|('(?:[^'\\]|\\.)*'|[A-Za-z_][\w.]*|[+-]?\d[\w:.+-]*|<=|>=|!=|<>|[(),=<>])/y;

/** The words of a query, read from left to right. */
export class Tokens {
  readonly #tokens: readonly string[];
  #position = 0;

  constructor(query: string) {
    this.#tokens = tokenize(query);
  }

  next(): string {
    return this.#tokens[this.#position++] ?? '';
  }

  /** Consumes these words if they come next. */
  accept(...words: string[]): boolean {
    const isHere = words.every((word, index) => this.#tokens[this.#position + index]?.toUpperCase() === word);
    if (isHere) this.#position += words.length;
    return isHere;
  }

  /** @throws DataError MALFORMED_QUERY if this word does not come next */
  expect(word: string): void {
    if (!this.accept(word)) throw unexpected(this.#tokens[this.#position] ?? '');
  }

  /** @throws DataError MALFORMED_QUERY if anything is left */
  expectEnd(): void {
    const rest = this.#tokens[this.#position];
    if (rest !== undefined) throw unexpected(rest);
  }

  name(): string {
    const token = this.next();
    if (!/^[A-Za-z_][\w.]*$/.test(token)) throw unexpected(token);
    return token;
  }

  wholeNumber(): number {
    const token = this.next();
    if (!/^\d+$/.test(token)) throw unexpected(token);
    return Number(token);
  }

  list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.accept(',')) items.push(item());
    return items;
  }

  literal(): FieldValue {
    const token = this.next();
    if (token.startsWith("'")) {
      return token
        .slice(1, -1)
        .replace(/\\(.)/g, (_, escaped: string) => ({ n: '\n', r: '\r', t: '\t' })[escaped] ?? escaped);
    }
    if (/^[+-]?\d+(\.\d+)?$/.test(token)) return Number(token);
    if (/^\d{4}-\d{2}-\d{2}/.test(token)) return token;
    const word = token.toLowerCase();
    if (word === 'null') return null;
    if (word === 'true' || word === 'false') return word === 'true';
    throw unexpected(token);
  }
}

function tokenize(query: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < query.length) {
    const start = tokenPattern.lastIndex;
    const match = tokenPattern.exec(query);
    if (!match) throw unexpected(query.charAt(start));
    if (match[1] !== undefined) tokens.push(match[1]);
  }
  return tokens;
}

export function unexpected(token: string): DataError {
  const what = token === '' ? '<EOF>' : `'${token}'`;
  return new DataError(400, 'MALFORMED_QUERY', `unexpected token: ${what}`);
}
