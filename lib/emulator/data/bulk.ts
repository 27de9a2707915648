import { jsonReply, type Reply } from '../http/reply';
import type { BulkJob } from './bulk-jobs';
import { parseCsv, writeCsv } from './csv';
import { allowMethods, DataError, notFound } from './errors';
import { runQuery } from './query';
import { datetime, type FieldValue } from './record';
import type { DataCall } from './data-call';
import { findField, findObject, type ObjectDefinition } from './schema';

const ingestOperations = ['insert', 'update', 'delete'];

/** `jobs/ingest`: create, upload, close, watch, results. */
export function ingestJobs(call: DataCall): Reply {
  const { exchange, organizationId, provider } = call;
  const [, id, part, ...rest] = call.segments;
  if (rest.length > 0) throw notFound();
  if (id === undefined) {
    allowMethods(call.exchange.method, 'POST');
    return describeJob(call, createIngest(call));
  }
  const job = provider.bulkJobs.find(organizationId, 'ingest', id) ?? missing();
  if (part === undefined) return jobResource(call, job, () => ingest(call, job));
  if (part === 'batches') {
    allowMethods(call.exchange.method, 'PUT');
    if (job.state !== 'Open' || job.content !== undefined) throw invalidState('upload data to', job);
    if (!(exchange.header('content-type') ?? '').startsWith('text/csv')) {
      throw new DataError(415, 'UNSUPPORTED_MEDIA_TYPE', 'Content-Type must be text/csv');
    }
    job.content = exchange.text;
    return { status: 201, headers: {}, text: '' };
  }
  allowMethods(call.exchange.method, 'GET');
  if (job.state !== 'JobComplete') throw invalidState('get results of', job);
  switch (part.toLowerCase()) {
    case 'successfulresults':
      return csvReply(job.successful, job);
    case 'failedresults':
      return csvReply(job.failed, job);
    case 'unprocessedrecords':
      // The emulator processes every row, so this result has only the names of the columns.
      return csvReply([job.successful[0]?.slice(2) ?? []], job);
    default:
      throw notFound();
  }
}

/** `jobs/query`: create, watch, results in parts. */
export function queryJobs(call: DataCall): Reply {
  const { organizationId, provider, exchange } = call;
  const [kind, id, part, ...rest] = call.segments;
  if (kind !== 'query' || rest.length > 0) throw notFound();
  if (id === undefined) {
    allowMethods(call.exchange.method, 'POST');
    return describeJob(call, createQuery(call));
  }
  const job = provider.bulkJobs.find(organizationId, 'query', id) ?? missing();
  if (part === undefined) return jobResource(call, job, () => undefined);
  if (part !== 'results') throw notFound();
  allowMethods(call.exchange.method, 'GET');
  if (job.state !== 'JobComplete') throw invalidState('get results of', job);
  const [names = [], ...rows] = job.results;
  const start = Number(exchange.query.get('locator') ?? 0);
  const end = Math.min(rows.length, start + Number(exchange.query.get('maxRecords') ?? rows.length));
  const headers = {
    // The word null marks the last part. The header is never absent.
    'sforce-locator': end < rows.length ? String(end) : 'null',
    'sforce-numberofrecords': String(end - start),
  };
  return csvReply([names, ...rows.slice(start, end)], job, headers);
}

function createIngest(call: DataCall): BulkJob {
  const { operation, object, contentType = 'CSV' } = body(call);
  const found = findObject(String(object));
  if (!found?.writable) throw new DataError(400, 'INVALIDENTITY', `Unable to find object: ${String(object)}`);
  if (!ingestOperations.includes(String(operation)) || contentType !== 'CSV') {
    throw new DataError(400, 'INVALIDJOB', 'The emulator accepts CSV with the operations insert, update and delete');
  }
  return create(call, { kind: 'ingest', object: found.name, operation: String(operation), state: 'Open' });
}

function createQuery(call: DataCall): BulkJob {
  const { operation, query } = body(call);
  if (operation !== 'query') throw new DataError(400, 'INVALIDJOB', 'The operation must be query');
  const text = String(query);
  const { provider, organizationId } = call;
  const { rows, object, paths } = runQuery(provider.records, organizationId, text);
  if (!rows) throw new DataError(400, 'API_ERROR', 'Bulk API 2.0 has no COUNT()');
  const job = create(call, { kind: 'query', object: object.name, operation: 'query', state: 'UploadComplete' });
  const names = paths.map(({ relationships, field }) => [...relationships, field].map(({ name }) => name).join('.'));
  job.results = [
    names,
    ...rows.map((row) =>
      paths.map((path) => String(row.parentAt(path, path.relationships.length)?.[path.field.name] ?? '')),
    ),
  ];
  return job;
}

function create(
  { provider, organizationId, grant, ...call }: DataCall,
  job: Pick<BulkJob, 'kind' | 'object' | 'operation' | 'state'>,
): BulkJob {
  const lineEnding = body(call)['lineEnding'] === 'CRLF' ? 'CRLF' : 'LF';
  const createdDate = datetime(provider.clock);
  return provider.bulkJobs.create({ ...job, organizationId, createdById: grant.user.userId, createdDate, lineEnding });
}

function jobResource(call: DataCall, job: BulkJob, start: () => void): Reply {
  allowMethods(call.exchange.method, 'GET', 'PATCH', 'DELETE');
  switch (call.exchange.method) {
    case 'PATCH': {
      const { state } = body(call);
      const mayClose = job.kind === 'ingest' && job.state === 'Open' && state === 'UploadComplete';
      if (!mayClose && !(state === 'Aborted' && ['Open', 'UploadComplete', 'InProgress'].includes(job.state))) {
        throw invalidState(`set the state ${String(state)} of`, job);
      }
      job.state = mayClose ? 'UploadComplete' : 'Aborted';
      if (mayClose) start();
      return describeJob(call, job);
    }
    case 'DELETE':
      if (['UploadComplete', 'InProgress'].includes(job.state)) throw invalidState('delete', job);
      call.provider.bulkJobs.delete(job);
      return { status: 204, headers: {} };
    default: {
      if (job.state === 'InProgress') job.state = job.errorMessage === undefined ? 'JobComplete' : 'Failed';
      if (job.state === 'UploadComplete') job.state = 'InProgress';
      return describeJob(call, job);
    }
  }
}

/** Processes the rows of a job one by one. A row that fails does not stop the others. */
function ingest({ provider, organizationId, grant }: DataCall, job: BulkJob): void {
  const [names = [], ...rows] = parseCsv(job.content ?? '') ?? [];
  const object = findObject(job.object);
  if (!object || names.length === 0) {
    job.errorMessage = 'InvalidBatch : Field name not found : the CSV has no header or cannot be read';
    return;
  }
  job.successful = [['sf__Id', 'sf__Created', ...names]];
  job.failed = [['sf__Id', 'sf__Error', ...names]];
  const { records } = provider;
  for (const row of rows) {
    const values = Object.fromEntries(names.map((name, index) => [name, valueOf(object, name, row[index] ?? '')]));
    const { Id, ...fields } = values;
    const id = String(Id ?? '');
    try {
      if (job.operation === 'insert') {
        const created = records.create(organizationId, grant.user.userId, object.name, values);
        job.successful.push([created, 'true', ...row]);
        continue;
      }
      if (job.operation === 'update') records.update(organizationId, object, id, fields);
      else records.delete(organizationId, object, id);
      job.successful.push([id, 'false', ...row]);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      job.failed.push([id, `${error.errorCode}:${error.message}:${error.fields?.join(',') ?? ''}--`, ...row]);
    }
  }
}

function valueOf(object: ObjectDefinition, name: string, text: string): FieldValue {
  if (text === '') return null;
  const type = findField(object, name)?.type;
  return type === 'double' ? Number(text) : type === 'boolean' ? text.toLowerCase() === 'true' : text;
}

function describeJob({ root }: DataCall, job: BulkJob): Reply {
  const { id, operation, object, createdById, createdDate, state, lineEnding, kind, errorMessage } = job;
  const hasRun = ['InProgress', 'JobComplete', 'Failed'].includes(state);
  const [successful, failed] = [job.successful, job.failed].map((rows) => Math.max(0, rows.length - 1));
  return jsonReply({
    ...{ id, operation, object, createdById, createdDate, systemModstamp: createdDate, state },
    concurrencyMode: 'Parallel',
    contentType: 'CSV',
    apiVersion: Number(/v(\d\d\.\d)$/.exec(root)?.[1]),
    lineEnding,
    columnDelimiter: 'COMMA',
    ...(kind === 'ingest' && state === 'Open' ? { contentUrl: `${root.slice(1)}/jobs/ingest/${id}/batches` } : {}),
    ...(hasRun && kind === 'ingest'
      ? { numberRecordsProcessed: (successful ?? 0) + (failed ?? 0), numberRecordsFailed: failed }
      : {}),
    ...(hasRun && kind === 'query' ? { numberRecordsProcessed: Math.max(0, job.results.length - 1) } : {}),
    ...(state === 'Failed' ? { errorMessage } : {}),
  });
}

function csvReply(rows: readonly string[][], { lineEnding }: BulkJob, headers: Reply['headers'] = {}): Reply {
  return { status: 200, headers, text: writeCsv(rows, lineEnding), contentType: 'text/csv' };
}

function body({ exchange }: Pick<DataCall, 'exchange'>): Record<string, unknown> {
  return (exchange.json ?? {}) as Record<string, unknown>;
}

function missing(): never {
  throw notFound();
}

function invalidState(what: string, { state }: BulkJob): DataError {
  return new DataError(400, 'INVALIDJOBSTATE', `Cannot ${what} a job that is ${state}`);
}
