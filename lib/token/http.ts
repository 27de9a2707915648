import { unlessAborted, type Clock } from '../clock';
import { startDeadline } from './deadline';
import { debugHttp } from '../debug';
import { isError, isRefusedByClient, SalesforceAuthError, systemCode } from '../errors';
import type { FetchFunction } from '../options/fetch-function';
import { GuardedSend, RequestHeldBack, type SendGuard } from './send-guard';

/** The largest reply read from Salesforce's identity endpoints, in bytes; a token reply has about 3,000. */
const maxReplyBytes: number = 256 * 1024;

/** A reply, read to its end: judging it is a function of plain data. */
export interface HttpReply {
  status: number;
  headers: Headers;
  text: string;
}

/**
 * Errors of a connection that was never made: not one byte of the request left this machine. A connection that was made can end
 * with some of them too, when a router loses the host; then the error names another system call than `connect`.
 */
const beforeSending = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Those that tell it even without a system call. A read can end with the others, and some clients do not name the call. */
const namedWithoutSystemCall = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/** Certificate errors end the handshake, before the request. Damaged records, and an end without a farewell, come later. */
const certificateError =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_(?!.*(?:RECORD|EOF))|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/;

/** Whether a system code says that the certificate of the other side is not trusted. */
export function isCertificateError(code: string): boolean {
  return certificateError.test(code);
}

/** What a request may be made of; `fetch`'s own names. */
export interface HttpRequest {
  method: string;
  headers: Headers | Record<string, string>;
  body?: string | URLSearchParams | undefined;
  guard?: SendGuard | undefined;
}

/** How requests leave this process; a part of a configuration. */
export interface Network {
  /** Sends each request. Undefined for the `fetch` of this process. */
  readonly fetch: FetchFunction | undefined;
  readonly httpTimeoutMs: number;
}

/**
 * The one way out to Salesforce's identity endpoints: a time limit on the whole exchange, no redirects, a cap on size.
 *
 * @throws SalesforceAuthError
 *   `ERR_SALESFORCE_UNREACHABLE` if the request was certainly not sent;
 *   `ERR_SALESFORCE_TIMEOUT`, `ERR_SALESFORCE_CONNECTION_LOST`, `ERR_SALESFORCE_REPLY_INVALID` if it may have been
 *   carried out
 * @throws RequestHeldBack if its guard did not let it go
 */
export async function exchange(url: string, request: HttpRequest, network: Network, clock: Clock): Promise<HttpReply> {
  const { host, pathname } = new URL(url);
  const { fetch: given = fetch, httpTimeoutMs } = network;
  const { method, body = null, guard } = request;
  const controller = new AbortController();
  // A `fetch` of the application may ignore the signal.
  const send: FetchFunction = (to, init) => unlessAborted(Promise.resolve(given(to, init)), controller.signal);
  const guarded = guard && new GuardedSend(guard, controller);
  const limit = { isOver: false };
  const cancel = startDeadline(clock, httpTimeoutMs, {
    isWritten: () => !guarded || guarded.body === 'sent',
    abort: () => {
      limit.isOver = true;
      controller.abort();
    },
  });
  try {
    // A redirect is never followed: the token or secret in this request is for this host alone.
    const headers = Object.fromEntries(new Headers(request.headers));
    const init: RequestInit = { method, headers, body, redirect: 'manual', signal: controller.signal };
    const response = await (guarded ? guarded.run(send, url, init, clock) : send(url, init));
    if (response.redirected) throw followedRedirect(host);
    const text = await unlessAborted(readText(response), controller.signal);
    debugHttp('%s %s answered %d', method, pathname, response.status);
    return { status: response.status, headers: response.headers, text };
  } catch (error) {
    if (error instanceof RequestHeldBack) throw error;
    throw transportError(error, host, { timeoutMs: limit.isOver ? httpTimeoutMs : undefined, body: guarded?.body });
  } finally {
    cancel();
  }
}

function followedRedirect(host: string): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CONNECTION_LOST',
    `The option fetch followed a redirect of ${host}, which can carry secrets to another host. Have it honor redirect: 'manual'.`,
    { status: 502 },
  );
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).byteLength;
    // Leaving the loop cancels the body, so that an endless reply costs no more than the cap.
    if (size > maxReplyBytes) {
      throw new SalesforceAuthError(
        'ERR_SALESFORCE_REPLY_INVALID',
        `The reply is larger than ${maxReplyBytes} bytes, which no Salesforce reply is. Check the baseUrl option.`,
        { status: 502, upstreamStatus: response.status },
      );
    }
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What is known of a request that failed. */
interface Failed {
  /** The time limit, if it is over. */
  timeoutMs?: number | undefined;
  /** Whether the body left this machine; if that is unknown, the error tells. */
  body?: GuardedSend['body'] | undefined;
}

/** A failure of the network as an error of this package; also for requests of the application's own. */
export function transportError(
  error: unknown,
  host: string,
  { timeoutMs, body = 'unknown' }: Failed = {},
): SalesforceAuthError {
  if (error instanceof SalesforceAuthError) return error;
  const code = timeoutMs === undefined ? systemCode(error) : undefined;
  debugHttp('request to %s failed: %s', host, timeoutMs === undefined ? (code ?? 'unknown') : 'timeout');
  // If the request was announced, it may have been sent, and what was refused is another try of the option `fetch`.
  if (body === 'unknown' && isRefusedByClient(error)) {
    return new SalesforceAuthError(
      'ERR_SALESFORCE_UNREACHABLE',
      `A request to ${host} was not sent, since the HTTP client refused its headers or options (${code ?? 'unknown'}). Check the ` +
        'option fetch.',
      { status: 502, cause: error, retryAfterSeconds: 5 },
    );
  }
  const isUnsent = body === 'unknown' ? timeoutMs === undefined && wasNeverConnected(error) : body === 'not sent';
  if (isUnsent) {
    const why = code ?? (timeoutMs === undefined ? 'aborted' : `none within ${timeoutMs} ms`);
    return new SalesforceAuthError(
      'ERR_SALESFORCE_UNREACHABLE',
      `No connection to ${host} (${why}). Check the baseUrl option, DNS, proxies and certificates of this machine.`,
      { status: 502, cause: error, retryAfterSeconds: 5 },
    );
  }
  if (timeoutMs !== undefined) {
    return new SalesforceAuthError(
      'ERR_SALESFORCE_TIMEOUT',
      `${host} did not answer within ${timeoutMs} ms. Try again; if it lasts, look at https://status.salesforce.com.`,
      { status: 504, retryAfterSeconds: 5 },
    );
  }
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CONNECTION_LOST',
    `The connection to ${host} broke before its answer was complete${code === undefined ? '' : ` (${code})`}. Try again.`,
    { status: 502, cause: error, retryAfterSeconds: 5 },
  );
}

/** Whether an error shows by itself that there was no connection. */
function wasNeverConnected(error: unknown): boolean {
  for (let current = error, depth = 0; isError(current) && depth < 4; current = current.cause, depth++) {
    const { code, syscall, errors } = current as { code?: unknown; syscall?: unknown; errors?: unknown };
    if (typeof code !== 'string') continue;
    if (isCertificateError(code)) return true;
    // Several addresses were tried, and each failed.
    if (Array.isArray(errors) && errors.length > 0) return errors.every(wasNeverConnected);
    if (syscall === undefined) return namedWithoutSystemCall.has(code);
    return syscall === 'connect' || (syscall === 'getaddrinfo' && beforeSending.has(code));
  }
  return false;
}
