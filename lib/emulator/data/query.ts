import { DataError } from './errors';
import type { DataRecord, FieldValue, RecordStore } from './records';
import { findField, findObject, type ObjectDefinition } from './schema';
import { parseSoql, type Condition } from './soql';

/** The result of a query, before it is cut into batches. */
export interface QueryResult {
  totalSize: number;
  /** Undefined for COUNT(). */
  records: DataRecord[] | undefined;
  object: ObjectDefinition;
}

/** Runs a query for one organization. @throws DataError MALFORMED_QUERY, INVALID_TYPE, INVALID_FIELD */
export function runQuery(store: RecordStore, organizationId: string, query: string): QueryResult {
  const { fields, object: objectName, conditions, orderBy, limit, offset } = parseSoql(query);
  const object = findObject(objectName);
  if (!object) {
    const text = `sObject type '${objectName}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`;
    throw new DataError(400, 'INVALID_TYPE', locate(query, objectName, text));
  }
  const canonical = (name: string): string => fieldName(query, object, name);
  const selected = fields?.map(canonical);
  const tests = conditions.map((condition) => ({ ...condition, field: canonical(condition.field) }));
  const orders = orderBy.map((order) => ({ ...order, field: canonical(order.field) }));
  const matching = store
    .all(organizationId, object)
    .filter((record) => tests.every((condition) => isMatch(record[condition.field] ?? null, condition)));
  for (const { field, descending } of orders.reverse()) {
    matching.sort((one, other) => {
      const order = compare(one[field] ?? null, other[field] ?? null);
      return descending ? -order : order;
    });
  }
  const found = matching.slice(offset, limit === undefined ? undefined : offset + limit);
  const records = selected && found.map((record) => project(object, record, selected));
  return { totalSize: found.length, records, object };
}

/** A record as it is sent, without where it is found. */
function project(_object: ObjectDefinition, record: DataRecord, fields: readonly string[]): DataRecord {
  // The id is carried along for the URL of the record, and taken out again where it was not selected.
  return Object.fromEntries([
    ['Id', record['Id'] ?? null] as const,
    ...fields.map((name) => [name, record[name] ?? null] as const),
  ]);
}

function fieldName(query: string, object: ObjectDefinition, name: string): string {
  const [first = '', ...path] = name.split('.');
  if (path.length > 0) {
    throw new DataError(
      400,
      'INVALID_FIELD',
      locate(query, name, `Didn't understand relationship '${first}' in field path.`),
    );
  }
  const field = findField(object, name);
  if (field) return field.name;
  const text = `No such column '${name}' on entity '${object.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`;
  throw new DataError(400, 'INVALID_FIELD', locate(query, name, text));
}

/** Salesforce quotes the query and points at the word. */
function locate(query: string, word: string, text: string): string {
  const column = Math.max(0, query.indexOf(word));
  return `\n${query}\n${' '.repeat(column)}^\nERROR at Row:1:Column:${column + 1}\n${text}`;
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

/** Texts are compared without case; an id in its 15-character form equals the long one. */
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

/** Nulls come first. */
function compare(one: FieldValue, other: FieldValue): number {
  if (one === other) return 0;
  if (one === null) return -1;
  if (other === null) return 1;
  if (typeof one === 'string' && typeof other === 'string') return one.localeCompare(other, 'en');
  return one < other ? -1 : 1;
}
