import { DataError } from './errors';
import type { DataRecord, FieldValue } from './record';
import type { RecordStore } from './records';
import { findField, findObject, type FieldDefinition, type ObjectDefinition } from './schema';

/** Most relationships in one name, as at Salesforce. */
const maxRelationships = 5;

/** A relationship from a record to its parent: `Account` of a contact, `Owner` of both. */
interface Relationship {
  name: string;
  /** The field that holds the id of the parent. */
  reference: string;
  parent: ObjectDefinition;
}

/** A field of an object or of one of its parents, with all names as Salesforce writes them. */
export interface FieldPath {
  relationships: readonly Relationship[];
  field: FieldDefinition;
}

/**
 * Finds what a name such as `Account.Owner.Name` means.
 *
 * @throws DataError INVALID_FIELD
 */
export function findPath(query: string, object: ObjectDefinition, name: string): FieldPath {
  const names = name.split('.');
  const last = names.pop() ?? '';
  const relationships: Relationship[] = [];
  let at = object;
  for (const step of names) {
    const relationship = relationships.length < maxRelationships ? relationshipOf(at, step) : undefined;
    if (!relationship) {
      throw invalidField(query, name, `Didn't understand relationship '${step}' in field path.`);
    }
    relationships.push(relationship);
    at = relationship.parent;
  }
  const field = findField(at, last);
  if (field) return { relationships, field };
  const text = `No such column '${last}' on entity '${at.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`;
  throw invalidField(query, name, text);
}

/** The record at the end of a path: the record itself or a parent. Undefined if a reference in the path is empty. */
export function recordAt(
  store: RecordStore,
  organizationId: string,
  record: DataRecord,
  relationships: readonly Relationship[],
): DataRecord | undefined {
  let at: DataRecord | undefined = record;
  for (const { reference, parent } of relationships) {
    const id: FieldValue = at?.[reference] ?? null;
    at = id === null ? undefined : store.all(organizationId, parent).find((candidate) => candidate['Id'] === id);
  }
  return at;
}

/** The value at the end of a path, or null. */
export function valueAt(
  store: RecordStore,
  organizationId: string,
  record: DataRecord,
  { relationships, field }: FieldPath,
): FieldValue {
  return recordAt(store, organizationId, record, relationships)?.[field.name] ?? null;
}

function relationshipOf(object: ObjectDefinition, name: string): Relationship | undefined {
  const field = findField(object, `${name}Id`);
  const parent = field?.referenceTo === undefined ? undefined : findObject(field.referenceTo);
  return field && parent && { name: field.name.slice(0, -2), reference: field.name, parent };
}

function invalidField(query: string, word: string, text: string): DataError {
  return new DataError(400, 'INVALID_FIELD', locate(query, word, text));
}

/** Salesforce repeats the query and marks the word. */
export function locate(query: string, word: string, text: string): string {
  const column = Math.max(0, query.indexOf(word));
  return `\n${query}\n${' '.repeat(column)}^\nERROR at Row:1:Column:${column + 1}\n${text}`;
}
