import { jsonReply, type Reply } from '../http/reply';
import { allowMethods, DataError, notFound } from './errors';
import { fileContent } from './files';
import type { DataRecord } from './record';
import type { DataCall } from './data-call';
import { findField, findObject, objects, type FieldDefinition, type ObjectDefinition } from './schema';

/**
 * `sobjects`, `sobjects/<object>`, `…/describe`, `…/<id>`, `…/<external id field>/<value>` and the content of a file,
 * `…/<id>/VersionData`.
 */
export function sobjects(call: DataCall): Reply {
  const { segments, exchange, root } = call;
  const [name, part, ...rest] = segments;
  if (name === undefined) {
    allowMethods(exchange.method, 'GET');
    return jsonReply({ encoding: 'UTF-8', maxBatchSize: 200, sobjects: objects.map((one) => summary(root, one)) });
  }
  const object = findObject(name);
  if (!object) throw notFound();
  const key = part === undefined ? undefined : findKey(object, part);
  if (key && rest.length === 1) return recordByKey(call, object, key, rest[0] ?? '');
  if (part !== undefined && rest.length > 0) return file(call, object, part, rest);
  if (part === undefined) return collection(call, object);
  return part === 'describe' ? describe(call, object) : record(call, object, part);
}

function collection(call: DataCall, object: ObjectDefinition): Reply {
  const { exchange, provider, organizationId, root, grant } = call;
  allowMethods(exchange.method, 'GET', 'POST');
  if (exchange.method === 'GET') return jsonReply({ objectDescribe: summary(root, object), recentItems: [] });
  const id = provider.records.create(organizationId, grant.user.userId, object.name, exchange.json);
  return jsonReply({ id, success: true, errors: [] }, 201, { location: `${root}/sobjects/${object.name}/${id}` });
}

function record({ exchange, provider, organizationId, root }: DataCall, object: ObjectDefinition, id: string): Reply {
  allowMethods(exchange.method, 'GET', 'PATCH', 'DELETE');
  switch (exchange.method) {
    case 'PATCH':
      provider.records.update(organizationId, object, id, exchange.json);
      return { status: 204, headers: {} };
    case 'DELETE':
      provider.records.delete(organizationId, object, id);
      return { status: 204, headers: {} };
    default: {
      const found = provider.records.get(organizationId, object, id);
      const names = exchange.query.get('fields')?.split(',') ?? object.fields.map((field) => field.name);
      return jsonReply(selectFields(root, object, found, names));
    }
  }
}

/** Selects fields of a record. @throws DataError INVALID_FIELD */
export function selectFields(
  root: string,
  object: ObjectDefinition,
  record: DataRecord,
  names: readonly string[],
): Record<string, unknown> {
  const sent = recordAsSent(root, object, record);
  const fields = names.map((name) => {
    const field = findField(object, name.trim());
    if (!field) throw new DataError(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
    return [field.name, sent[field.name] ?? null] as const;
  });
  return { attributes: sent.attributes, ...Object.fromEntries(fields) };
}

/** Finds a field that identifies one record: an external id, or `Id` itself. */
export function findKey(object: ObjectDefinition, name: string): FieldDefinition | undefined {
  const field = findField(object, name);
  return field?.externalId || field?.name === 'Id' ? field : undefined;
}

/** Upserts, reads or deletes a record by its external id. */
function recordByKey(call: DataCall, object: ObjectDefinition, key: FieldDefinition, value: string): Reply {
  const { exchange, provider, organizationId, root } = call;
  if (exchange.method !== 'PATCH') {
    const found = provider.records.findBy(organizationId, object, key, value);
    if (!found) throw notFound();
    return record(call, object, String(found['Id']));
  }
  const { id, created } = upsert(call, object, key, value, exchange.json);
  const location = `${root}/sobjects/${object.name}/${id}`;
  return jsonReply({ id, success: true, errors: [], created }, created ? 201 : 200, created ? { location } : {});
}

/** Updates the record with this external id, or creates the record. */
export function upsert(
  { provider, organizationId, grant }: DataCall,
  object: ObjectDefinition,
  key: FieldDefinition,
  value: string,
  values: unknown,
): { id: string; created: boolean } {
  const found = provider.records.findBy(organizationId, object, key, value);
  if (found) {
    const id = String(found['Id']);
    provider.records.update(organizationId, object, id, values);
    return { id, created: false };
  }
  // Salesforce chooses the id, so a record cannot be created with an id.
  if (key.name === 'Id') throw notFound();
  const given = typeof values === 'object' && values !== null ? { ...values, [key.name]: value } : values;
  return { id: provider.records.create(organizationId, grant.user.userId, object.name, given), created: true };
}

/** A record with its address. Fields with the content of a file hold the address of the content. */
export function recordAsSent(
  root: string,
  object: ObjectDefinition,
  record: DataRecord,
): DataRecord & { attributes: { type: string; url: string } } {
  const attributes = addressOf(root, object, record);
  const blobs = object.fields.filter(({ name, type }) => type === 'base64' && name in record);
  const links = Object.fromEntries(blobs.map(({ name }) => [name, `${attributes.url}/${name}`]));
  return { attributes, ...record, ...links } as never;
}

/** The type and the address of a record. */
export function addressOf(root: string, object: ObjectDefinition, record: DataRecord): { type: string; url: string } {
  return { type: object.name, url: `${root}/sobjects/${object.name}/${String(record['Id'])}` };
}

function file(
  { exchange, provider, organizationId }: DataCall,
  object: ObjectDefinition,
  id: string,
  [name = '', ...rest]: readonly string[],
): Reply {
  if (findField(object, name)?.type !== 'base64' || rest.length > 0) throw notFound();
  allowMethods(exchange.method, 'GET');
  provider.records.get(organizationId, object, id);
  return { status: 200, headers: {}, bytes: fileContent(), contentType: 'application/octet-stream' };
}

function describe({ exchange, root }: DataCall, object: ObjectDefinition): Reply {
  allowMethods(exchange.method, 'GET');
  const fields = object.fields.map((field) => ({
    name: field.name,
    label: field.label,
    type: field.type,
    nillable: !field.required,
    createable: object.writable && !field.readOnly,
    updateable: object.writable && !field.readOnly,
    custom: field.name.endsWith('__c'),
    externalId: field.externalId ?? false,
    idLookup: field.externalId ?? field.name === 'Id',
    unique: field.externalId ?? false,
    relationshipName: field.referenceTo === undefined ? null : field.name.slice(0, -2),
    referenceTo: field.referenceTo === undefined ? [] : [field.referenceTo],
  }));
  return jsonReply({ ...summary(root, object), fields, childRelationships: [], recordTypeInfos: [] });
}

function summary(root: string, object: ObjectDefinition): Record<string, unknown> {
  const url = `${root}/sobjects/${object.name}`;
  return {
    name: object.name,
    label: object.label,
    labelPlural: object.labelPlural,
    keyPrefix: object.keyPrefix,
    custom: false,
    queryable: true,
    retrieveable: true,
    createable: object.writable,
    updateable: object.writable,
    deletable: object.writable,
    urls: { sobject: url, describe: `${url}/describe`, rowTemplate: `${url}/{ID}` },
  };
}
