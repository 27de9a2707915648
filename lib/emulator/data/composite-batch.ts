import type { Exchange } from '../http/exchange';
import { jsonReply, type Reply } from '../http/reply';
import { allowMethods, DataError, notFound } from './errors';
import type { DataCall } from './data-call';

/** How many requests a batch may hold. */
const maxParts = 25;

interface Part {
  method: string;
  url: string;
  richInput?: unknown;
}

interface PartResult {
  statusCode: number;
  result: unknown;
}

/** `composite/batch`: several independent requests in one. */
export function batch({ exchange, segments }: DataCall, answer: (exchange: Exchange) => Reply): Reply {
  if (segments.length > 1) throw notFound();
  allowMethods(exchange.method, 'POST');
  const { parts, haltOnError } = read(exchange.json);
  const results: PartResult[] = [];
  let hasErrors = false;
  for (const part of parts) {
    const result: PartResult = hasErrors && haltOnError ? halted() : answerPart(part, exchange, answer);
    hasErrors ||= result.statusCode >= 400;
    results.push(result);
  }
  return jsonReply({ hasErrors, results });
}

function read(json: unknown): { parts: Part[]; haltOnError: boolean } {
  const { batchRequests, haltOnError } = (json ?? {}) as { batchRequests?: unknown; haltOnError?: unknown };
  const isPart = (part: unknown): part is Part => {
    const { method, url } = (part ?? {}) as Record<string, unknown>;
    return typeof method === 'string' && typeof url === 'string';
  };
  if (!Array.isArray(batchRequests) || !batchRequests.every(isPart)) {
    throw new DataError(400, 'JSON_PARSER_ERROR', 'batchRequests must be a list of { method, url, richInput }');
  }
  if (batchRequests.length > maxParts) {
    throw new DataError(400, 'LIMIT_EXCEEDED', `The batch request has more than ${maxParts} subrequests`);
  }
  return { parts: batchRequests, haltOnError: haltOnError === true };
}

function answerPart(
  { method, url, richInput }: Part,
  exchange: Exchange,
  answer: (exchange: Exchange) => Reply,
): PartResult {
  // Unlike in `composite`, the URL usually begins with the version.
  const path = url.startsWith('/services/data/') ? url : `/services/data/${url.replace(/^\//, '')}`;
  if (!URL.canParse(path, exchange.origin)) {
    return { statusCode: 400, result: [{ errorCode: 'INVALID_INPUT', message: 'The URL is invalid' }] };
  }
  const { pathname, searchParams } = new URL(path, exchange.origin);
  const reply = answer({ ...exchange, method, path: pathname, query: searchParams, json: richInput });
  return { statusCode: reply.status, result: reply.json ?? null };
}

function halted(): PartResult {
  const message = 'The request was not processed, because an earlier request failed and haltOnError is set';
  return { statusCode: 412, result: [{ errorCode: 'BATCH_PROCESSING_HALTED', message }] };
}
