import type { FieldValue } from './record';
import { Tokens, unexpected } from './soql-tokens';

const comparisons = ['=', '!=', '<', '>', '<=', '>=', 'LIKE'] as const;

/** Comparisons of a WHERE clause. */
type Operator = (typeof comparisons)[number] | 'IN' | 'NOT IN';

/** A comparison of a field. The field may belong to a parent: `Account.Name`. */
export interface Condition {
  kind: 'condition';
  field: string;
  operator: Operator;
  values: readonly FieldValue[];
}

/** A WHERE clause. */
export type Expression =
  Condition | { kind: 'and' | 'or'; parts: readonly Expression[] } | { kind: 'not'; part: Expression };

/** A parsed query. */
export interface Soql {
  /** Undefined for `COUNT()`. */
  fields: readonly string[] | undefined;
  object: string;
  where: Expression | undefined;
  orderBy: readonly { field: string; descending: boolean }[];
  limit: number | undefined;
  offset: number;
}

/**
 * Parses the part of SOQL that the emulator supports: fields or COUNT(), WHERE with AND, OR, NOT and parentheses, ORDER BY,
 * LIMIT, OFFSET.
 *
 * @throws DataError MALFORMED_QUERY for every other query, because a result that ignores a part of the query would be wrong
 */
export function parseSoql(query: string): Soql {
  const tokens = new Tokens(query);
  tokens.expect('SELECT');
  const isCount = tokens.accept('COUNT', '(', ')');
  const fields = isCount ? undefined : tokens.list(() => tokens.name());
  tokens.expect('FROM');
  const object = tokens.name();
  const where = tokens.accept('WHERE') ? expression(tokens) : undefined;
  const orderBy = tokens.accept('ORDER', 'BY') ? tokens.list(() => order(tokens)) : [];
  const limit = tokens.accept('LIMIT') ? tokens.wholeNumber() : undefined;
  const offset = tokens.accept('OFFSET') ? tokens.wholeNumber() : 0;
  tokens.expectEnd();
  return { fields, object, where, orderBy, limit, offset };
}

function order(tokens: Tokens): { field: string; descending: boolean } {
  const field = tokens.name();
  const descending = !tokens.accept('ASC') && tokens.accept('DESC');
  // Nulls come first in both directions. The emulator does not support NULLS LAST.
  tokens.accept('NULLS', 'FIRST');
  return { field, descending };
}

/** Parts joined by AND or by OR. As at Salesforce, a query cannot mix the two without parentheses. */
function expression(tokens: Tokens): Expression {
  const first = term(tokens);
  for (const kind of ['and', 'or'] as const) {
    const parts = [first];
    while (tokens.accept(kind.toUpperCase())) parts.push(term(tokens));
    if (parts.length > 1) return { kind, parts };
  }
  return first;
}

function term(tokens: Tokens): Expression {
  if (tokens.accept('NOT')) return { kind: 'not', part: term(tokens) };
  if (!tokens.accept('(')) return condition(tokens);
  const inner = expression(tokens);
  tokens.expect(')');
  return inner;
}

function condition(tokens: Tokens): Condition {
  const field = tokens.name();
  const isNotIn = tokens.accept('NOT', 'IN');
  if (isNotIn || tokens.accept('IN')) {
    tokens.expect('(');
    const values = tokens.list(() => tokens.literal());
    tokens.expect(')');
    return { kind: 'condition', field, operator: isNotIn ? 'NOT IN' : 'IN', values };
  }
  const token = tokens.next();
  const operator = comparisons.find((known) => known === (token === '<>' ? '!=' : token.toUpperCase()));
  if (!operator) throw unexpected(token);
  return { kind: 'condition', field, operator, values: [tokens.literal()] };
}
