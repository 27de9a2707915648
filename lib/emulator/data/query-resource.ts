import { jsonReply, type Reply } from '../http/reply';
import { allowMethods, DataError } from './errors';
import type { FieldPath } from './field-path';
import { runQuery, type QueryResult, type QueryRow } from './query';
import { describeColumns } from './query-columns';
import type { DataCall } from './data-call';
import { addressOf, recordAsSent } from './sobjects';

/** `query?q=…`: the first batch of records, or the columns if `columns=true` is set. */
export function query(call: DataCall): Reply {
  const { query: parameters, method } = call.exchange;
  const text = parameters.get('q');
  allowMethods(method, 'GET');
  if (text === null || text.trim() === '')
    throw new DataError(400, 'MALFORMED_QUERY', 'SOQL statements cannot be empty');
  if (parameters.get('columns') === 'true') {
    return jsonReply(describeColumns(runQuery(call.provider.records, call.organizationId, text)));
  }
  return batch(call, text, 0);
}

/**
 * `query/<locator>-<position>`: a further batch. The locator contains the query, so the emulator need not store the query.
 */
export function queryMore(call: DataCall): Reply {
  const match = /^01g([\w-]+)-(\d+)$/.exec(call.segments[0] ?? '');
  const text = Buffer.from(match?.[1] ?? '', 'base64url').toString('utf8');
  if (!match || !/^\s*select\s/i.test(text)) {
    throw new DataError(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
  }
  return batch(call, text, Number(match[2]));
}

function batch(call: DataCall, text: string, start: number): Reply {
  const { provider, organizationId, root } = call;
  const result = runQuery(provider.records, organizationId, text);
  if (!result.rows) return jsonReply({ totalSize: result.totalSize, done: true, records: [] });
  const end = start + batchSize(call);
  const done = end >= result.rows.length;
  return jsonReply({
    totalSize: result.totalSize,
    done,
    ...(done ? {} : { nextRecordsUrl: `${root}/query/01g${Buffer.from(text).toString('base64url')}-${end}` }),
    records: result.rows.slice(start, end).map((row) => rowAsSent(root, result, row)),
  });
}

/** The size of a batch. A client may ask for smaller batches, but not for larger ones than the option of the emulator. */
function batchSize({ provider, exchange }: DataCall): number {
  const asked = /batchSize=(\d+)/i.exec(exchange.header('sforce-query-options') ?? '')?.[1];
  return Math.max(1, Math.min(Number(asked ?? Infinity), provider.settings.queryBatchSize));
}

/**
 * The selected fields of a record. Fields of a parent are in an object with the name of the parent, or null if there is no
 * parent.
 */
function rowAsSent(root: string, { object, paths }: QueryResult, row: QueryRow): Record<string, unknown> {
  const sent = recordAsSent(root, object, row.record);
  const result: Record<string, unknown> = { attributes: sent.attributes };
  for (const path of paths) {
    if (path.relationships.length === 0) result[path.field.name] = sent[path.field.name] ?? null;
    else putParentField(result, root, row, path);
  }
  return result;
}

function putParentField(result: Record<string, unknown>, root: string, row: QueryRow, path: FieldPath): void {
  let at = result;
  for (const [index, { name, parent }] of path.relationships.entries()) {
    const record = row.parentAt(path, index + 1);
    if (!record) {
      at[name] = null;
      return;
    }
    at[name] ??= { attributes: addressOf(root, parent, record) };
    at = at[name] as Record<string, unknown>;
    if (index === path.relationships.length - 1) at[path.field.name] = record[path.field.name] ?? null;
  }
}

/** `limits`. The emulator counts only the daily requests. */
export function limits({ provider }: DataCall): Reply {
  return jsonReply({
    DailyApiRequests: { Max: 15000, Remaining: 15000 - provider.apiRequests },
    DataStorageMB: { Max: 1024, Remaining: 1024 },
    FileStorageMB: { Max: 1024, Remaining: 1024 },
  });
}
