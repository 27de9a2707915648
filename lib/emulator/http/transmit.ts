import type { Response } from 'express';
import { systemClock } from '../../clock';
import { jsonType, replyBody, type Reply } from './reply';

/**
 * Headers of every reply, as recorded from Salesforce. `Strict-Transport-Security` is left out: a browser would remember it for every
 * port of localhost, and refuse the app itself.
 */
const commonHeaders = {
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'none',
  'cache-control': 'no-cache,must-revalidate,max-age=0,no-store,private',
};

/** Sends a reply, or breaks the reply in the way that its transmission names. */
export function transmit(res: Response, reply: Reply): void {
  const { transmission } = reply;
  if (transmission?.how === 'drop') {
    res.socket?.destroy();
    return;
  }
  const body = replyBody(reply);
  res.statusCode = reply.status;
  for (const [name, value] of Object.entries({ ...commonHeaders, ...reply.headers })) res.setHeader(name, value);
  if (reply.status !== 204) {
    res.setHeader(
      'content-type',
      reply.contentType ?? (reply.json === undefined ? 'text/plain;charset=UTF-8' : jsonType),
    );
  }
  switch (transmission?.how) {
    case undefined:
      res.end(body);
      return;
    case 'truncated':
      res.setHeader('content-length', body.length);
      res.write(body.subarray(0, Math.ceil(body.length / 2)), () => res.socket?.destroy());
      return;
    case 'oversized':
      sendOversized(res, body, transmission.bytes);
      return;
    case 'drip':
      sendByteByByte(res, body, transmission.intervalMs);
  }
}

/** Sends a valid JSON text after many blanks, no faster than the client reads. */
function sendOversized(res: Response, body: Uint8Array, bytes: number): void {
  const chunk = ' '.repeat(64 * 1024);
  let sent = 0;
  const next = (): void => {
    while (sent < bytes && !res.destroyed) {
      sent += chunk.length;
      if (!res.write(chunk)) {
        res.once('drain', next);
        return;
      }
    }
    res.end(body);
  };
  next();
}

function sendByteByByte(res: Response, bytes: Uint8Array, intervalMs: number): void {
  let position = 0;
  const next = (): void => {
    if (res.destroyed) return;
    if (position >= bytes.length) {
      res.end();
      return;
    }
    res.write(bytes.subarray(position, ++position));
    systemClock.setTimer(intervalMs, next);
  };
  next();
}
