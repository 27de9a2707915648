import { compare, fieldsOf, fits } from './conditions';
import { DataError } from './errors';
import { findPath, locate, recordAt, valueAt, type FieldPath } from './field-path';
import type { DataRecord } from './record';
import type { RecordStore } from './records';
import { findObject, type ObjectDefinition } from './schema';
import { parseSoql } from './soql';

/** The result of a query, before the split into batches. */
export interface QueryResult {
  totalSize: number;
  /** Undefined for COUNT(). */
  rows: QueryRow[] | undefined;
  object: ObjectDefinition;
  /** The selected fields, in the order of the query; empty for COUNT(). */
  paths: readonly FieldPath[];
}

/** A matching record, with a function that finds its parents. */
export interface QueryRow {
  readonly record: DataRecord;
  parentAt(path: FieldPath, depth: number): DataRecord | undefined;
}

/** Runs a query for one organization. @throws DataError MALFORMED_QUERY, INVALID_TYPE, INVALID_FIELD */
export function runQuery(store: RecordStore, organizationId: string, query: string): QueryResult {
  const { fields, object: objectName, where, orderBy, limit, offset } = parseSoql(query);
  const object = findObject(objectName);
  if (!object) {
    const text = `sObject type '${objectName}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`;
    throw new DataError(400, 'INVALID_TYPE', locate(query, objectName, text));
  }
  const find = (name: string): FieldPath => findPath(query, object, name);
  const paths = (fields ?? []).map(find);
  const compared = new Map(fieldsOf(where).map((name) => [name, find(name)]));
  const valueOf = (record: DataRecord, path: FieldPath | undefined): ReturnType<typeof valueAt> =>
    path === undefined ? null : valueAt(store, organizationId, record, path);
  const matching = store
    .all(organizationId, object)
    .filter((record) => where === undefined || fits(where, (name) => valueOf(record, compared.get(name))));
  for (const { field, descending } of [...orderBy].reverse()) {
    const path = find(field);
    matching.sort((one, other) => {
      const [left, right] = [valueOf(one, path), valueOf(other, path)];
      const order = compare(left, right);
      // Nulls come first in both directions.
      return descending && left !== null && right !== null ? -order : order;
    });
  }
  const found = matching.slice(offset, limit === undefined ? undefined : offset + limit);
  const rows = found.map((record): QueryRow => ({
    record,
    parentAt: ({ relationships }, depth) => recordAt(store, organizationId, record, relationships.slice(0, depth)),
  }));
  return { totalSize: found.length, rows: fields && rows, object, paths };
}
