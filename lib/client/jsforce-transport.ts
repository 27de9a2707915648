import { Duplex, PassThrough, Readable } from 'node:stream';
import { SalesforceAuthError } from '../errors';
import type { FetchFunction } from '../options/fetch-function';
import type { JsforceConnection } from './jsforce';
import { isMoved, isRedirection } from './moved';

/** A request as jsforce hands it to its transport. */
interface JsforceRequest {
  url: string;
  method: string;
  headers?: Record<string, string>;
  /** Absent if the body is written to the stream. */
  body?: string | Buffer | { getBuffer(): Buffer };
}

interface JsforceResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** jsforce's promise of a response, which also has the response as a stream. */
type JsforceAnswer = Promise<JsforceResponse> & { stream(): Duplex };

/** What is used of jsforce's transport; `getRequestStreamCreator` is its place for another way out. */
interface Transport {
  httpRequest(request: JsforceRequest, options?: { followRedirect?: boolean }): JsforceAnswer;
  getRequestStreamCreator(): (request: JsforceRequest, options?: { encoding?: BufferEncoding }) => Duplex;
}

/** How the requests of a connection are carried. */
interface Carrier {
  /** The option `fetch`; undefined for jsforce's own way. */
  send: FetchFunction | undefined;
  /** Whether a token may be sent to this URL. */
  isTrusted: (url: URL) => boolean;
  /** Looks whether the organization has left the connection's instance. */
  hasMoved: () => Promise<boolean>;
}

/**
 * Makes a connection and its logout send their requests with the option `fetch`, and to the present instance.
 *
 * jsforce refreshes after a 401 alone, and then repeats the request at the old address. So the other signs that a token
 * or host has ended are given to it as a 401, and the address is corrected when the request is sent.
 *
 * Every request of jsforce carries the access token, in a header or in its body. So a request to another host than one of
 * Salesforce's is refused, and no redirect leads a token elsewhere.
 */
export function carryRequests(connection: JsforceConnection, { send, isTrusted, hasMoved }: Carrier): void {
  const former = new Set([connection.instanceUrl]);
  for (const owner of [connection, connection.oauth2]) {
    // jsforce has this property, but does not declare it.
    const transport = (owner as unknown as { _transport: Transport })._transport;
    if (send) transport.getRequestStreamCreator = () => streamOf(send);
    const httpRequest = transport.httpRequest.bind(transport);
    transport.httpRequest = (request, options = {}) => {
      former.add(connection.instanceUrl);
      request.url = addressOf(request.url, former, connection.instanceUrl);
      const isAtInstance = request.url.startsWith(`${connection.instanceUrl}/`);
      if (!isAtInstance && !isTrusted(new URL(request.url))) return refused(foreignOrigin(request.url));
      // jsforce would take the token along to the host that a redirect names.
      const answer = httpRequest(request, { ...options, followRedirect: false });
      const judged = answer.then(async (first) => {
        // Login hosts redirect the identity URL to the instance, and jsforce takes a redirect for an empty answer.
        const target = isAtInstance ? undefined : targetOf(request, first);
        const again = { ...options, followRedirect: false };
        const response =
          target && isTrusted(target) ? await httpRequest({ ...request, url: target.href }, again) : first;
        const isAway = isAtInstance && isMovedAway(response, connection.instanceUrl) && (await hasMoved());
        return isAway || isTokenRefused(response) ? { ...response, statusCode: 401 } : response;
      });
      return Object.assign(judged, { stream: () => answer.stream() });
    };
  }
}

/** The answer to a request that is not sent. */
function refused(error: SalesforceAuthError): JsforceAnswer {
  const stream = new PassThrough();
  // jsforce does not listen for the event. Its caller gets the error from the promise.
  stream.on('error', () => undefined);
  stream.destroy(error);
  return Object.assign(Promise.reject<JsforceResponse>(error), { stream: () => stream });
}

function foreignOrigin(address: string): SalesforceAuthError {
  const { protocol, host } = new URL(address);
  return new SalesforceAuthError(
    'ERR_SALESFORCE_FOREIGN_ORIGIN',
    `A jsforce connection was given a URL at ${protocol}//${host}, but a token goes to hosts of Salesforce only. Give it a path ` +
      "such as '/services/data/v68.0/limits'; your organization's own domain has to be named in the option allowedHosts.",
  );
}

/** The address at the present instance, and without the access token, which a header carries. */
function addressOf(url: string, former: ReadonlySet<string>, instanceUrl: string): string {
  const address = new URL(url, instanceUrl);
  // Taking out what is not there would write the query anew, in another spelling.
  if (address.searchParams.has('oauth_token')) address.searchParams.delete('oauth_token');
  // The origin of a blob: URL is that of another URL within it.
  const isFormer = address.protocol !== 'blob:' && former.has(address.origin);
  return isFormer ? instanceUrl + address.pathname + address.search : address.href;
}

/** Where a redirect of a GET leads. */
function targetOf({ method, url }: JsforceRequest, { statusCode, headers }: JsforceResponse): URL | undefined {
  const { location } = headers;
  const isRedirect = method === 'GET' && isRedirection(statusCode) && location !== undefined;
  return isRedirect && URL.canParse(location, url) ? new URL(location, url) : undefined;
}

/** The identity URL and userinfo say by 403 what the API says by 401. */
function isTokenRefused({ statusCode, body }: JsforceResponse): boolean {
  return statusCode === 403 && body.trim() === 'Bad_OAuth_Token';
}

function isMovedAway({ statusCode, headers }: JsforceResponse, instanceUrl: string): boolean {
  return isMoved({ status: statusCode, location: headers['location'], type: headers['content-type'] }, instanceUrl);
}

/** Sends a request by `fetch`, as the stream that jsforce makes of a request. */
function streamOf(send: FetchFunction): ReturnType<Transport['getRequestStreamCreator']> {
  return (request, options = {}) => {
    const input = new PassThrough();
    const output = new PassThrough();
    const stream = Duplex.from({ readable: output, writable: input });
    carry(send, request, input).then(
      (response) => {
        const headers = Object.fromEntries(response.headers);
        const told = { statusCode: response.status, headers };
        stream.emit('response', told);
        const body = response.body ? Readable.from(response.body) : Readable.from([]);
        body.on('error', (error) => output.destroy(error)).pipe(output);
        if (stream.listenerCount('complete') > 0) void complete(stream, told, options.encoding);
      },
      (error: unknown) => stream.destroy(error as Error),
    );
    return stream;
  };
}

async function carry(send: FetchFunction, request: JsforceRequest, input: PassThrough): Promise<Response> {
  const { url, method, headers = {}, body } = request;
  const init = { method, headers, redirect: 'manual' } as const;
  if (/^(?:get|head|options)$/i.test(method)) return send(url, init);
  if (body === undefined) {
    return send(url, { ...init, body: Readable.toWeb(input) as ReadableStream, duplex: 'half' });
  }
  const isForm = typeof body === 'object' && 'getBuffer' in body;
  return send(url, { ...init, body: new Uint8Array(isForm ? body.getBuffer() : Buffer.from(body as string)) });
}

async function complete(
  stream: Duplex,
  told: Omit<JsforceResponse, 'body'>,
  encoding: BufferEncoding = 'utf8',
): Promise<void> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch {
    // jsforce has got the event `error`.
    return;
  }
  stream.emit('complete', { ...told, body: Buffer.concat(chunks).toString(encoding) });
}
