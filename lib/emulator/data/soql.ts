import { DataError } from './errors';
import type { FieldValue } from './records';

/** Comparisons of a WHERE clause. */
type Operator = '=' | '!=' | '<' | '>' | '<=' | '>=' | 'LIKE' | 'IN' | 'NOT IN';

export interface Condition {
  field: string;
  operator: Operator;
  values: readonly FieldValue[];
}

/** A parsed query. */
export interface Soql {
  /** `COUNT()` where it is undefined. */
  fields: readonly string[] | undefined;
  object: string;
  /** Joined by AND. */
  conditions: readonly Condition[];
  orderBy: readonly { field: string; descending: boolean }[];
  limit: number | undefined;
  offset: number;
}

const tokenPattern = /\s+|('(?:[^'\\]|\\.)*'|[A-Za-z_][\w.]*|[+-]?\d[\w:.+-]*|<=|>=|!=|<>|[(),=<>])/y;

/**
 * Parses the part of SOQL the emulator speaks: fields or COUNT(), WHERE with AND, ORDER BY, LIMIT, OFFSET.
 *
 * @throws DataError MALFORMED_QUERY for everything else, rather than a result that ignores half the query
 */
export function parseSoql(query: string): Soql {
  const tokens = tokenize(query);
  let position = 0;
  const peek = (): string => tokens[position] ?? '';
  const next = (): string => tokens[position++] ?? '';
  const accept = (...words: string[]): boolean => {
    const isHere = words.every((word, index) => tokens[position + index]?.toUpperCase() === word);
    if (isHere) position += words.length;
    return isHere;
  };
  const expect = (word: string): void => {
    if (!accept(word)) throw unexpected(peek());
  };
  const name = (): string => {
    const token = next();
    if (!/^[A-Za-z_][\w.]*$/.test(token)) throw unexpected(token);
    return token;
  };
  const wholeNumber = (): number => {
    const token = next();
    if (!/^\d+$/.test(token)) throw unexpected(token);
    return Number(token);
  };
  const list = <T>(item: () => T): T[] => {
    const items = [item()];
    while (accept(',')) items.push(item());
    return items;
  };
  const condition = (): Condition => {
    const field = name();
    if (accept('NOT', 'IN') || accept('IN')) {
      const operator = tokens[position - 2]?.toUpperCase() === 'NOT' ? 'NOT IN' : 'IN';
      expect('(');
      const values = list(() => literal(next()));
      expect(')');
      return { field, operator, values };
    }
    return { field, operator: toOperator(next()), values: [literal(next())] };
  };

  expect('SELECT');
  const isCount = accept('COUNT', '(', ')');
  const fields = isCount ? undefined : list(name);
  expect('FROM');
  const object = name();
  const conditions: Condition[] = [];
  if (accept('WHERE')) {
    do conditions.push(condition());
    while (accept('AND'));
  }
  const orderBy = accept('ORDER', 'BY')
    ? list(() => {
        const field = name();
        const descending = !accept('ASC') && accept('DESC');
        return { field, descending };
      })
    : [];
  const limit = accept('LIMIT') ? wholeNumber() : undefined;
  const offset = accept('OFFSET') ? wholeNumber() : 0;
  if (position < tokens.length) throw unexpected(peek());
  return { fields, object, conditions, orderBy, limit, offset };
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

function toOperator(token: string): Operator {
  const operator = token === '<>' ? '!=' : token.toUpperCase();
  if (!['=', '!=', '<', '>', '<=', '>=', 'LIKE'].includes(operator)) throw unexpected(token);
  return operator as Operator;
}

function literal(token: string): FieldValue {
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

function unexpected(token: string): DataError {
  const what = token === '' ? '<EOF>' : `'${token}'`;
  return new DataError(400, 'MALFORMED_QUERY', `unexpected token: ${what}`);
}
