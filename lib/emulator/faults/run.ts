import { systemClock, wait } from '../../clock';
import type { Exchange } from '../http/exchange';
import { htmlReply, type Reply, replyBody } from '../http/reply';
import type { ArmedFault, Faults } from './registry';
import type { FaultInjection, FaultOperation } from './types';

/** Makes the reply for an error, in the format of an endpoint. */
export type ErrorShape = (
  error: string,
  description: string | undefined,
  status: number | undefined,
  page?: boolean,
) => Reply;

/** The reply that a fault cuts, pads or slows down if the fault comes before the operation. */
const placeholder: Reply = {
  status: 200,
  headers: {},
  json: { token_type: 'Bearer', access_token: '00D__fake_reply_of_a_fault__' },
};

/** Runs an operation between the faults before and after it. */
export async function runWithFaults(
  faults: Faults,
  exchange: Exchange,
  operations: readonly FaultOperation[],
  errorShape: ErrorShape,
  operation: () => Reply | Promise<Reply>,
): Promise<Reply> {
  const before = faults.take(operations, 'before', exchange.record);
  if (before) {
    const reply = await applyFault(before, exchange, errorShape, placeholder);
    if (reply) return reply;
  }
  const reply = await operation();
  const after = faults.take(operations, 'after', exchange.record);
  return (after && (await applyFault(after, exchange, errorShape, reply))) ?? reply;
}

/** The reply of a fault, or undefined if the request continues. */
async function applyFault(
  { injection, released }: ArmedFault,
  exchange: Exchange,
  errorShape: ErrorShape,
  reply: Reply,
): Promise<Reply | undefined> {
  switch (injection.kind) {
    case 'delay':
      await Promise.race([wait(systemClock, injection.delayMs), released]);
      return undefined;
    case 'hold':
      await released;
      return undefined;
    case 'hang':
      await Promise.race([exchange.closed, released]);
      return { ...reply, transmission: { how: 'drop' } };
    case 'error':
      return errorShape(injection.error, injection.errorDescription, injection.status, injection.page);
    default:
      return replyOf(injection, reply);
  }
}

function replyOf(
  injection: Exclude<FaultInjection, { kind: 'delay' | 'hold' | 'hang' | 'error' }>,
  reply: Reply,
): Reply {
  switch (injection.kind) {
    case 'status': {
      const headers: Record<string, string> =
        injection.retryAfterSeconds === undefined ? {} : { 'retry-after': String(injection.retryAfterSeconds) };
      const { status, body = '<html><body>Service Unavailable</body></html>' } = injection;
      if (typeof body === 'string') return { ...htmlReply(body, status), headers };
      return { status, headers, json: body };
    }
    case 'drop':
      return { ...reply, transmission: { how: 'drop' } };
    case 'html':
      return htmlReply('<html><head><title>Maintenance</title></head><body>We are down for maintenance.</body></html>');
    case 'empty':
      return { status: 200, headers: {}, text: '' };
    case 'truncated':
      return injection.complete
        ? { ...reply, bytes: firstHalf(replyBody(reply)), contentType: 'application/json;charset=UTF-8' }
        : { ...reply, transmission: { how: 'truncated' } };
    case 'oversized':
      return { ...reply, transmission: { how: 'oversized', bytes: injection.bytes ?? 10 * 1024 * 1024 } };
    case 'drip':
      return { ...reply, transmission: { how: 'drip', intervalMs: injection.intervalMs ?? 100 } };
    case 'redirect':
      return { status: injection.status ?? 302, headers: { location: injection.location }, text: '' };
    case 'reply':
      return isObject(reply.json) ? { ...reply, json: injection.change(structuredClone(reply.json)) } : reply;
  }
}

function firstHalf(body: Uint8Array): Uint8Array {
  return body.subarray(0, Math.ceil(body.length / 2));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
