import type { Request, Response } from 'express';

/** A request the emulator got. It holds secrets in clear: it is a test oracle, in memory only. */
export interface RecordedRequest {
  method: string;
  /** Without the query, with the path of the site. */
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  /** A form or JSON object, parsed; undefined where there was none. */
  body: Record<string, unknown> | undefined;
  /** Status of the reply; undefined as long as there is none, or where the connection was destroyed. */
  status: number | undefined;
  /** Milliseconds since the epoch, on the emulator's clock. */
  at: number;
}

/** One request, read once, and what its handlers need to know about where it arrived. */
export interface Exchange {
  readonly record: RecordedRequest;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Empty where the body is no form. */
  readonly form: URLSearchParams;
  readonly json: unknown;
  /** The body as it came. */
  readonly text: string;
  /** Path prefix of the site the request came through, `''` for the login host. */
  readonly site: string;
  /** Origin as the client sees it. */
  readonly origin: string;
  /** Address of the client. */
  readonly address: string;
  /** Path parameters. */
  readonly params: Readonly<Record<string, string>>;
  /** Resolves when the connection is gone or the reply sent. */
  readonly closed: Promise<void>;
  header(name: string): string | undefined;
}

/** Reads a request whose body is text already, in the same way under Express 4 and 5. */
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

/** Writes down a request as it arrives. */
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
