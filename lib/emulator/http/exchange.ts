import type { Request, Response } from 'express';

/** A request that the emulator received. It holds secrets, for tests. It exists in memory only. */
export interface RecordedRequest {
  method: string;
  /** The path with the path of the site, without the query. */
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  /** The parsed form or JSON object. Undefined if the request has neither. */
  body: Record<string, unknown> | undefined;
  /** Status of the reply. Undefined before the reply, and if the connection was destroyed. */
  status: number | undefined;
  /** Milliseconds since the epoch, on the emulator's clock. */
  at: number;
}

/** A parsed request, with the host and site at which it arrived. */
export interface Exchange {
  readonly record: RecordedRequest;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The form. Empty if the body is not a form. */
  readonly form: URLSearchParams;
  readonly json: unknown;
  /** The body as text. */
  readonly text: string;
  /** Path of the site at which the request arrived, `''` for the login host. */
  readonly site: string;
  /** Origin at which the request arrived. */
  readonly origin: string;
  /** Address of the client. */
  readonly address: string;
  /** Path parameters. */
  readonly params: Readonly<Record<string, string>>;
  /** Resolves when the reply was sent or the connection is gone. */
  readonly closed: Promise<void>;
  header(name: string): string | undefined;
}

/** Parses a request whose body was read as text. The result is the same with Express 4 and 5. */
export function readExchange(
  req: Request,
  res: Response,
  record: RecordedRequest,
  { origin, site }: { origin: string; site: string },
): Exchange {
  const url = new URL(origin + req.originalUrl);
  const body: unknown = req.body;
  const text = typeof body === 'string' ? body : '';
  return {
    record,
    method: req.method,
    path: url.pathname,
    query: url.searchParams,
    form: isForm(req) ? new URLSearchParams(text) : new URLSearchParams(),
    json: isJson(req) ? parseJson(text) : undefined,
    text,
    site,
    origin,
    address: req.socket.remoteAddress ?? '',
    params: Object.fromEntries(Object.entries(req.params).map(([name, value]) => [name, String(value)])),
    closed: new Promise((resolve) => {
      // 'close' has come already if the client left while its body was read.
      if (res.closed) resolve();
      else res.once('close', () => resolve());
    }),
    header: (name) => {
      const value = req.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
  };
}

/** Makes the record of a request that has just arrived. */
export function recordRequest(req: Request, at: number): RecordedRequest {
  const url = new URL(`http://emulator.invalid${req.originalUrl}`);
  return {
    method: req.method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: Object.fromEntries(Object.entries(req.headers).map(([name, value]) => [name, String(value)])),
    body: bodyOf(req),
    status: undefined,
    at,
  };
}

function bodyOf(req: Request): Record<string, unknown> | undefined {
  const body: unknown = req.body;
  if (typeof body !== 'string' || body === '') return undefined;
  if (isForm(req)) return Object.fromEntries(new URLSearchParams(body));
  const json = isJson(req) ? parseJson(body) : undefined;
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
}

function isForm(req: Request): boolean {
  return mediaType(req) === 'application/x-www-form-urlencoded';
}

function isJson(req: Request): boolean {
  return mediaType(req) === 'application/json';
}

function mediaType(req: Request): string {
  return (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
