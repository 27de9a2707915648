import { jsonReply, type Reply } from '../http/reply';
import { allowMethods, DataError, notFound } from './errors';
import type { DataCall } from './data-call';
import { findObject, findObjectByPrefix, type FieldDefinition, type ObjectDefinition } from './schema';
import { findKey, selectFields, upsert } from './sobjects';

/** How many records one request may hold. */
const maxRecords = 200;

interface Outcome {
  id?: string;
  success: boolean;
  errors: { statusCode: string; message: string; fields: readonly string[] }[];
  created?: boolean;
}

/** `composite/sobjects`: many records in one request. Each record has its own outcome, unless `allOrNone` is set. */
export function collections(call: DataCall): Reply {
  const [, objectName, keyName, ...rest] = call.segments;
  if (rest.length > 0) throw notFound();
  if (objectName === undefined) return write(call);
  const object = findObject(objectName) ?? fail(notFound());
  if (keyName !== undefined) return upsertAll(call, object, findKey(object, keyName) ?? fail(notFound()));
  return read(call, object);
}

/** Creates, updates or deletes. */
function write(call: DataCall): Reply {
  const { exchange, provider, organizationId, grant } = call;
  const { records } = provider;
  allowMethods(exchange.method, 'POST', 'PATCH', 'DELETE');
  if (exchange.method === 'DELETE') {
    const ids = listOf(exchange.query.get('ids')?.split(','), 'ids');
    return applyToEach(call, ids, exchange.query.get('allOrNone') === 'true', (id) => {
      records.delete(organizationId, objectOfId(String(id)), String(id));
      return { id: String(id), success: true, errors: [] };
    });
  }
  const { given, allOrNone } = recordsOf(exchange.json);
  return applyToEach(call, given, allOrNone, (record) => {
    const { attributes, id, Id, ...values } = record as Record<string, unknown>;
    const { type } = (attributes ?? {}) as { type?: unknown };
    const object = findObject(String(type)) ?? fail(unknownType(type));
    if (exchange.method === 'POST') {
      // A record that was read has an id. A record cannot be created with an id.
      const own = Id === undefined ? values : { ...values, Id };
      const created = records.create(organizationId, grant.user.userId, object.name, own);
      return { id: created, success: true, errors: [] };
    }
    const known = id ?? Id;
    if (typeof known !== 'string') throw new DataError(400, 'MISSING_ARGUMENT', 'Id not specified', []);
    records.update(organizationId, object, known, values);
    return { id: known, success: true, errors: [] };
  });
}

function upsertAll(call: DataCall, object: ObjectDefinition, key: FieldDefinition): Reply {
  allowMethods(call.exchange.method, 'PATCH');
  const { given, allOrNone } = recordsOf(call.exchange.json);
  return applyToEach(call, given, allOrNone, (record) => {
    const values = Object.entries(record as Record<string, unknown>);
    const value = values.find(([name]) => name.toLowerCase() === key.name.toLowerCase())?.[1];
    if (typeof value !== 'string') {
      throw new DataError(400, 'MISSING_ARGUMENT', `${key.name} not specified`, [key.name]);
    }
    const others = values.filter(([name]) => name.toLowerCase() !== key.name.toLowerCase());
    const { id, created } = upsert(call, object, key, value, Object.fromEntries(others));
    return { id, success: true, errors: [], created };
  });
}

/** Reads records by their ids, in the order of the request. A missing record is null. */
function read({ exchange, provider, organizationId, root }: DataCall, object: ObjectDefinition): Reply {
  allowMethods(exchange.method, 'GET', 'POST');
  const body = (exchange.json ?? {}) as { ids?: unknown; fields?: unknown };
  const parameter = (name: 'ids' | 'fields'): unknown[] =>
    listOf(exchange.method === 'POST' ? body[name] : exchange.query.get(name)?.split(','), name);
  const fields = parameter('fields').map(String);
  const records = parameter('ids').map((id) => {
    try {
      return selectFields(root, object, provider.records.get(organizationId, object, String(id)), fields);
    } catch (error) {
      if (error instanceof DataError && error.status === 404) return null;
      throw error;
    }
  });
  return jsonReply(records);
}

function applyToEach(
  call: DataCall,
  items: readonly unknown[],
  allOrNone: boolean,
  act: (item: unknown) => Outcome,
): Reply {
  const rollBack = call.provider.records.mark();
  const outcomes = items.map((item) => {
    try {
      return act(item);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return failure(error.errorCode, error.message, error.fields);
    }
  });
  if (!allOrNone || outcomes.every(({ success }) => success)) return jsonReply(outcomes);
  rollBack();
  const text = 'Record rolled back because not all records were valid and the request was using AllOrNone header';
  return jsonReply(
    outcomes.map((outcome) => (outcome.success ? failure('ALL_OR_NONE_OPERATION_ROLLED_BACK', text) : outcome)),
  );
}

function failure(statusCode: string, message: string, fields: readonly string[] = []): Outcome {
  return { success: false, errors: [{ statusCode, message, fields }] };
}

function recordsOf(json: unknown): { given: unknown[]; allOrNone: boolean } {
  const { records, allOrNone } = (json ?? {}) as { records?: unknown; allOrNone?: unknown };
  const given = listOf(records, 'records');
  if (!given.every((record) => typeof record === 'object' && record !== null)) {
    throw new DataError(400, 'JSON_PARSER_ERROR', 'records must be a list of records');
  }
  return { given, allOrNone: allOrNone === true };
}

function listOf(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new DataError(400, 'JSON_PARSER_ERROR', `${name} must be a list`);
  if (value.length > maxRecords) {
    throw new DataError(400, 'LIMIT_EXCEEDED', `${name} has more than ${maxRecords} entries`);
  }
  return value;
}

/** The object of an id. The first three characters of the id name the object. */
function objectOfId(id: string): ObjectDefinition {
  return findObjectByPrefix(id.slice(0, 3)) ?? fail(new DataError(404, 'MALFORMED_ID', `malformed id ${id}`, []));
}

function unknownType(type: unknown): DataError {
  return new DataError(400, 'INVALID_TYPE', `sObject type '${String(type)}' is not supported.`, []);
}

function fail(error: DataError): never {
  throw error;
}
