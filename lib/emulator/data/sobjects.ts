import { jsonReply, type Reply } from '../http/reply';
import { allowMethods, DataError, notFound } from './errors';
import { fileContent } from './files';
import type { DataRecord } from './records';
import type { DataCall } from './resources';
import { findField, findObject, objects, type ObjectDefinition } from './schema';

/** `sobjects`, `sobjects/<object>`, `…/describe`, `…/<id>` and the content of a file, `…/<id>/VersionData`. */
export function sobjects(call: DataCall): Reply {
  const { segments, exchange, root } = call;
  const [name, part, ...rest] = segments;
  if (name === undefined) {
    allowMethods(exchange.method, 'GET');
    return jsonReply({ encoding: 'UTF-8', maxBatchSize: 200, sobjects: objects.map((one) => summary(root, one)) });
  }
  const object = findObject(name);
  if (!object) throw notFound();
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
      const sent = recordAsSent(root, object, found);
      const fields = names.map((name) => {
        const field = findField(object, name.trim());
        if (!field)
          throw new DataError(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
        return [field.name, sent[field.name] ?? null] as const;
      });
      return jsonReply({ attributes: sent.attributes, ...Object.fromEntries(fields) });
    }
  }
}

/** A record with its address, and addresses where the content of files would be. */
export function recordAsSent(
  root: string,
  object: ObjectDefinition,
  record: DataRecord,
): DataRecord & { attributes: { type: string; url: string } } {
  const url = `${root}/sobjects/${object.name}/${String(record['Id'])}`;
  const blobs = object.fields.filter(({ name, type }) => type === 'base64' && name in record);
  const links = Object.fromEntries(blobs.map(({ name }) => [name, `${url}/${name}`]));
  return { attributes: { type: object.name, url }, ...record, ...links } as never;
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
    custom: false,
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
