import type { Exchange } from '../http/exchange';
import { jsonReply, type Reply } from '../http/reply';
import { allowMethods, DataError } from './errors';
import { batch } from './composite-batch';
import { collections } from './collections';
import { notEmulated } from './not-emulated';
import type { DataCall } from './data-call';

/** How many requests a composite request may hold. */
const maxParts = 25;

interface Part {
  method: string;
  url: string;
  referenceId: string;
  body?: unknown;
}

interface PartReply {
  body: unknown;
  httpHeaders: Record<string, string>;
  httpStatusCode: number;
  referenceId: string;
}

/** Every resource under `composite`. */
export function composites(call: DataCall, answer: (exchange: Exchange) => Reply): Reply {
  const [name] = call.segments;
  if (name === 'sobjects') return collections(call);
  if (name === 'batch') return batch(call, answer);
  return composite(call, answer);
}

/** `composite`: several requests in one. A request can use results of earlier requests, by `@{referenceId.field}`. */
function composite({ exchange, provider, segments }: DataCall, answer: (exchange: Exchange) => Reply): Reply {
  if (segments.length > 0) throw notEmulated(['composite', ...segments]);
  allowMethods(exchange.method, 'POST');
  const { parts, allOrNone } = read(exchange.json);
  const rollBack = provider.records.mark();
  const replies: PartReply[] = [];
  for (const part of parts) replies.push(answerPart(part, replies, exchange, answer));
  const failed = replies.filter(({ httpStatusCode }) => httpStatusCode >= 400);
  if (failed.length === 0 || !allOrNone) return jsonReply({ compositeResponse: replies });
  rollBack();
  const text = 'The transaction was rolled back since another operation in the same transaction failed.';
  return jsonReply({
    compositeResponse: replies.map((reply) => (failed.includes(reply) ? reply : halted(reply, text))),
  });
}

function read(json: unknown): { parts: Part[]; allOrNone: boolean } {
  const { compositeRequest, allOrNone } = (json ?? {}) as { compositeRequest?: unknown; allOrNone?: unknown };
  const isPart = (part: unknown): part is Part => {
    const { method, url, referenceId } = (part ?? {}) as Record<string, unknown>;
    return [method, url, referenceId].every((text) => typeof text === 'string') && /^\w+$/.test(String(referenceId));
  };
  if (!Array.isArray(compositeRequest) || !compositeRequest.every(isPart)) {
    throw new DataError(
      400,
      'JSON_PARSER_ERROR',
      'compositeRequest must be a list of { method, url, referenceId, body }',
    );
  }
  if (compositeRequest.length > maxParts) {
    throw new DataError(400, 'LIMIT_EXCEEDED', `The composite request has more than ${maxParts} subrequests`);
  }
  if (new Set(compositeRequest.map(({ referenceId }) => referenceId)).size < compositeRequest.length) {
    throw new DataError(400, 'INVALID_INPUT', 'A referenceId occurs twice');
  }
  return { parts: compositeRequest, allOrNone: allOrNone === true };
}

function answerPart(
  { method, url, referenceId, body }: Part,
  earlier: readonly PartReply[],
  exchange: Exchange,
  answer: (exchange: Exchange) => Reply,
): PartReply {
  try {
    const text = fill(url, earlier);
    if (!text.startsWith('/services/data/') || !URL.canParse(text, exchange.origin)) {
      return failed(referenceId, new DataError(400, 'INVALID_INPUT', `The URL of ${referenceId} is invalid`));
    }
    const filled = new URL(text, exchange.origin);
    const json = fillAll(body, earlier);
    const reply = answer({ ...exchange, method, path: filled.pathname, query: filled.searchParams, json });
    const { location } = reply.headers;
    return {
      body: reply.json ?? null,
      httpHeaders: typeof location === 'string' ? { Location: location } : {},
      httpStatusCode: reply.status,
      referenceId,
    };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return halted({ referenceId }, error.message);
  }
}

/** Replaces `@{reference.path}` with a value of an earlier reply. `path` may have several names and indexes. */
function fill(text: string, earlier: readonly PartReply[]): string {
  return text.replace(/@\{(\w+)\.([\w.[\]]+)\}/g, (_whole, reference: string, path: string) => {
    const reply = earlier.find(({ referenceId, httpStatusCode }) => referenceId === reference && httpStatusCode < 400);
    const names = path.split(/[.[\]]+/).filter((name) => name !== '');
    const value = names.reduce<unknown>((at, name) => own(at, name), reply?.body);
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    const what = `Invalid reference specified. No value for ${reference}.${path} found in ${reference}`;
    throw new DataError(400, 'PROCESSING_HALTED', what);
  });
}

function own(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** The same for every text in a JSON value. A value of an earlier reply can thus add no field and break no text. */
function fillAll(value: unknown, earlier: readonly PartReply[]): unknown {
  if (typeof value === 'string') return fill(value, earlier);
  if (Array.isArray(value)) return value.map((one) => fillAll(one, earlier));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fillAll(one, earlier)]));
}

function failed(referenceId: string, { errorCode, message, status }: DataError): PartReply {
  return { body: [{ errorCode, message }], httpHeaders: {}, httpStatusCode: status, referenceId };
}

function halted({ referenceId }: { referenceId: string }, message: string): PartReply {
  const body = [{ errorCode: 'PROCESSING_HALTED', message }];
  return { body, httpHeaders: {}, httpStatusCode: 400, referenceId };
}
