import type { FieldValue } from './record';
import type { Condition, Expression } from './soql';

/** Whether a record matches a WHERE clause. `valueOf` reads a field of the record. */
export function fits(expression: Expression, valueOf: (field: string) => FieldValue): boolean {
  switch (expression.kind) {
    case 'and':
      return expression.parts.every((part) => fits(part, valueOf));
    case 'or':
      return expression.parts.some((part) => fits(part, valueOf));
    case 'not':
      return !fits(expression.part, valueOf);
    case 'condition':
      return isMatch(valueOf(expression.field), expression);
  }
}

/** The fields that a WHERE clause names. */
export function fieldsOf(expression: Expression | undefined): string[] {
  if (!expression) return [];
  switch (expression.kind) {
    case 'condition':
      return [expression.field];
    case 'not':
      return fieldsOf(expression.part);
    default:
      return expression.parts.flatMap(fieldsOf);
  }
}

/** Nulls come first. */
export function compare(one: FieldValue, other: FieldValue): number {
  if (one === other) return 0;
  if (one === null) return -1;
  if (other === null) return 1;
  if (typeof one === 'string' && typeof other === 'string') return one.localeCompare(other, 'en');
  return one < other ? -1 : 1;
}

function isMatch(value: FieldValue, { operator, values }: Condition): boolean {
  const [operand = null] = values;
  switch (operator) {
    case '=':
      return isEqual(value, operand);
    case '!=':
      return !isEqual(value, operand);
    case 'IN':
      return values.some((candidate) => isEqual(value, candidate));
    case 'NOT IN':
      return !values.some((candidate) => isEqual(value, candidate));
    case 'LIKE':
      return typeof value === 'string' && likePattern(String(operand)).test(value);
    default: {
      if (value === null || operand === null) return false;
      const order = compare(value, operand);
      return operator === '<' ? order < 0 : operator === '>' ? order > 0 : operator === '<=' ? order <= 0 : order >= 0;
    }
  }
}

/** Texts are compared without case. The 15-character and the 18-character form of an id are equal. */
function isEqual(one: FieldValue, other: FieldValue): boolean {
  if (typeof one !== 'string' || typeof other !== 'string') return one === other;
  return one.toLowerCase() === other.toLowerCase() || (one.length === 18 && one.slice(0, 15) === other);
}

function likePattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${source}$`, 'is');
}
