import { jsonReply, type Reply } from '../http/reply';
import { allowMethods, DataError } from './errors';
import { runQuery, type QueryResult } from './query';
import type { DataRecord } from './records';
import type { DataCall } from './resources';
import { recordAsSent } from './sobjects';
import { parseSoql } from './soql';

/** `query?q=…`: the first batch. */
export function query(call: DataCall): Reply {
  const text = call.exchange.query.get('q');
  allowMethods(call.exchange.method, 'GET');
  if (text === null || text.trim() === '')
    throw new DataError(400, 'MALFORMED_QUERY', 'SOQL statements cannot be empty');
  return batch(call, text, 0);
}

/** `query/<locator>-<position>`: a further batch. The locator is the query itself, so that nothing has to be kept. */
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
  if (!result.records) return jsonReply({ totalSize: result.totalSize, done: true, records: [] });
  const end = start + batchSize(call);
  const done = end >= result.records.length;
  const selectsId = parseSoql(text).fields?.some((name) => name.toLowerCase() === 'id') ?? false;
  return jsonReply({
    totalSize: result.totalSize,
    done,
    ...(done ? {} : { nextRecordsUrl: `${root}/query/01g${Buffer.from(text).toString('base64url')}-${end}` }),
    records: result.records.slice(start, end).map((record) => withAttributes(root, result, record, selectsId)),
  });
}

/** The client may ask for smaller batches, never for larger ones than the emulator's option says. */
function batchSize({ provider, exchange }: DataCall): number {
  const asked = /batchSize=(\d+)/i.exec(exchange.header('sforce-query-options') ?? '')?.[1];
  return Math.max(1, Math.min(Number(asked ?? Infinity), provider.settings.queryBatchSize));
}

function withAttributes(
  root: string,
  { object }: QueryResult,
  record: DataRecord,
  selectsId: boolean,
): Record<string, unknown> {
  const { attributes, Id, ...fields } = recordAsSent(root, object, record);
  return { attributes, ...(selectsId ? { Id } : {}), ...fields };
}

/** `limits`, of which only the daily requests are counted. */
export function limits({ provider }: DataCall): Reply {
  const used = provider.requests.filter(({ path }) => path.includes('/services/data/')).length;
  return jsonReply({
    DailyApiRequests: { Max: 15000, Remaining: 15000 - used },
    DataStorageMB: { Max: 1024, Remaining: 1024 },
    FileStorageMB: { Max: 1024, Remaining: 1024 },
  });
}
