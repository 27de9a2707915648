import { createHash } from 'node:crypto';
import type * as OAuth from 'oauth4webapi';
import { BoundedMap } from '../bounded-map';
import { classify, operatorMessage, type UpstreamError } from '../salesforce-errors/classify';
import { meanings } from '../salesforce-errors/meanings';
import { safeText } from '../salesforce-errors/safe-text';
import { isClientRefused, isConfidential, proofsOf } from '../client-authentication/client-authentication';
import type { Clock } from '../clock';
import { SalesforceAuthError } from '../errors';
import { loaded } from '../loaded';
import { keyOfClient, type Configuration } from '../options/configuration';
import { endpointsOf, type Endpoints } from '../salesforce/endpoints';
import { exchange, type HttpReply } from './http';
import { HostGates, type LeaveGate } from './host-gates';
import { assertHostThere } from './gone';
import { processTokenReply } from './reply';
import type { SendGuard } from './send-guard';
import { TokenRequestError, type TokenGrantType } from './token-error';
import { transportOf, type Transport } from './transport';
import type { TokenEndpointReply } from './types';

/** Requests to the endpoints of one host that this process has under way at once. */
const requestsPerHost = 64;

/** Refreshes have places of their own: logins and logouts do not wait behind a herd of them. */
const gates = { refresh: new HostGates(requestsPerHost), other: new HostGates(requestsPerHost) };

/** Clients remembered whose proof Salesforce has refused last, with the proof. */
const refusedProofs = new BoundedMap<string, true>(1_000);

/** Speaks OAuth with one host for one client. It knows no store. */
export class TokenClient {
  readonly #configuration: Configuration;
  readonly #server: Endpoints;
  readonly #clock: Clock;

  /** @param baseUrl a checked base URL, which differs from the configuration's if the login chose another one */
  constructor(configuration: Configuration, baseUrl: string, clock: Clock) {
    this.#configuration = configuration;
    this.#server = endpointsOf(baseUrl);
    this.#clock = clock;
  }

  /** Exchanges a code (RFC 6749, section 4.1.3, with RFC 7636, section 4.5). @throws TokenRequestError */
  async authorizationCodeGrant(grant: {
    code: string;
    redirectURI: string;
    codeVerifier: string;
    /** Further parameters. */
    params?: Readonly<Record<string, string>> | undefined;
  }): Promise<TokenEndpointReply> {
    // The transaction has checked the state before.
    const client = { client_id: this.#configuration.clientID };
    const params = new URLSearchParams({ code: grant.code });
    const reply = await this.#send((oauth, auth, options) =>
      oauth.authorizationCodeGrantRequest(
        this.#server,
        client,
        auth,
        oauth.validateAuthResponse(this.#server, client, params, oauth.skipStateCheck),
        grant.redirectURI,
        grant.codeVerifier,
        grant.params === undefined ? options : { ...options, additionalParameters: { ...grant.params } },
      ),
    );
    return this.#process('authorization_code', reply);
  }

  /**
   * Waits for a place among the refreshes at this host, before a claim is taken: its lease is too short to wait under it.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_UNREACHABLE` if none was free for `httpTimeoutMs`; or the reason of `signal`
   */
  takePlace(signal?: AbortSignal): Promise<LeaveGate> {
    return this.#enter('refresh', signal);
  }

  /**
   * A place among the refreshes at this host, if one is free: for a claim that has begun already.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_UNREACHABLE` if none is free
   */
  takeFreePlace(): LeaveGate {
    const place = this.freePlace();
    if (!place) throw noPlace(new URL(this.#server.issuer).host, 0);
    return place;
  }

  /** The same; undefined if none is free. */
  freePlace(): LeaveGate | undefined {
    return gates.refresh.tryEnter(new URL(this.#server.issuer).host);
  }

  /**
   * Presents a refresh token (RFC 6749, section 6). The caller has claimed the grant before, so that no other process presents it.
   *
   * @param guard asked before the first byte is sent
   * @param place of {@link takePlace}, if the caller has one and leaves it by itself; otherwise the request waits for one
   * @throws TokenRequestError, or a transport error
   */
  async refreshTokenGrant(refreshToken: string, guard?: SendGuard, place?: LeaveGate): Promise<TokenEndpointReply> {
    const client = { client_id: this.#configuration.clientID };
    const reply = await this.#send(
      (oauth, auth, options) => oauth.refreshTokenGrantRequest(this.#server, client, auth, refreshToken, options),
      { guard, place, lane: 'refresh' },
    );
    assertHostThere(this.#server.issuer, reply);
    return this.#process('refresh_token', reply);
  }

  /** Asks for a token of the client itself (RFC 6749, section 4.4). @throws TokenRequestError, or a transport error */
  async clientCredentialsGrant(guard?: SendGuard, place?: LeaveGate): Promise<TokenEndpointReply> {
    const client = { client_id: this.#configuration.clientID };
    const reply = await this.#send(
      (oauth, auth, options) => oauth.clientCredentialsGrantRequest(this.#server, client, auth, {}, options),
      { guard, place, lane: 'refresh' },
    );
    return this.#process('app', reply);
  }

  /**
   * Asks for a token with a signed assertion (RFC 7523, section 2.1), which is all the proof that Salesforce documents.
   *
   * @throws TokenRequestError, or a transport error
   */
  async jwtBearerGrant(assertion: string, guard?: SendGuard, place?: LeaveGate): Promise<TokenEndpointReply> {
    const client = { client_id: this.#configuration.clientID };
    const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    const noProof: OAuth.ClientAuth = () => undefined;
    const reply = await this.#send(
      (oauth, _auth, options) =>
        oauth.genericTokenEndpointRequest(this.#server, client, noProof, grantType, { assertion }, options),
      { guard, place, lane: 'refresh', isRefused: () => false },
    );
    return processTokenReply('app', reply, this.#server, this.#configuration.clientID);
  }

  /**
   * Revokes a token (RFC 7009).
   *
   * @returns `unknown` if this host does not know the token, which counts as revoked if no other host can know it
   * @throws SalesforceAuthError if Salesforce could not be asked or was not able to answer
   */
  async revoke(token: string): Promise<'revoked' | 'unknown'> {
    const client = { client_id: this.#configuration.clientID };
    const reply = await this.#send((oauth, auth, options) =>
      oauth.revocationRequest(this.#server, client, auth, token, options),
    );
    if (reply.status === 200) return 'revoked';
    assertHostThere(this.#server.issuer, reply);
    const said = revocationError(reply);
    const outcome = classify('revoke', said);
    if (outcome === 'ignored') return 'unknown';
    throw new SalesforceAuthError(
      outcome.code,
      `A token could not be revoked, which is tried again in the background. ${operatorMessage(said, outcome)}`,
      { status: outcome.status, error: said.error, upstreamStatus: reply.status },
    );
  }

  /**
   * Asks whether a refresh token is still good (RFC 7662) without spending it.
   *
   * @returns `active`, `inactive`, or `unknown` if the answer proves nothing: Salesforce answers `active: false` as well
   *   to a client that did not authenticate, and a public client cannot
   * @throws SalesforceAuthError if Salesforce could not be asked, does not believe the client, or something else answered in its
   *   place
   */
  async introspectRefreshToken(refreshToken: string): Promise<'active' | 'inactive' | 'unknown'> {
    const client = { client_id: this.#configuration.clientID };
    const reply = await this.#send(
      (oauth, auth, options) =>
        oauth.introspectionRequest(this.#server, client, auth, refreshToken, {
          ...options,
          additionalParameters: { token_type_hint: 'refresh_token' },
        }),
      // Salesforce gives a client that it does not believe the same answer as for a token that has ended.
      { isRefused: (reply) => isClientRefused(reply) || readActive(reply.text) === false },
    );
    assertHostThere(this.#server.issuer, reply);
    if (isClientRefused(reply) && isConfidential(this.#configuration)) throw notBelieved(reply.status);
    if (isRefusal(reply.status)) return 'unknown';
    if (reply.status < 200 || reply.status > 299) throw notAnswered(reply.status);
    const active = readActive(reply.text);
    // A web page, half a reply or no reply comes from a proxy in between.
    if (active === 'unreadable') throw notAnswered(reply.status);
    if (active === true) return 'active';
    if (active !== false || !isConfidential(this.#configuration)) return 'unknown';
    if (refusedProofs.has(this.#proof)) throw notBelieved(reply.status);
    return 'inactive';
  }

  /** Reads a reply of the token endpoint, which says whether it believes the client. */
  #process(grantType: TokenGrantType, reply: HttpReply): Promise<TokenEndpointReply> {
    if (isClientRefused(reply)) refusedProofs.set(this.#proof, true);
    else if (reply.status === 200) refusedProofs.delete(this.#proof);
    return processTokenReply(grantType, reply, this.#server, this.#configuration.clientID);
  }

  /** The client with what it proves itself by. Once an operator has corrected that, it is another one. */
  get #proof(): string {
    const { clientSecret, clientKeys } = this.#configuration;
    const proof = JSON.stringify([keyOfClient(this.#configuration), clientSecret, clientKeys.map(({ name }) => name)]);
    return createHash('sha256').update(proof).digest('base64url');
  }

  /**
   * Lets oauth4webapi write the request and {@link exchange} carry it, so that every reply is read in one place. The library is
   * loaded at the first request. While the key of the client is changed, a request that Salesforce refuses because of one key is sent once more with the other.
   */
  async #send(
    request: (oauth: typeof OAuth, auth: OAuth.ClientAuth, options: RequestOptions) => Promise<Response>,
    { guard, place, lane = 'other', isRefused = isClientRefused }: SendOptions = {},
  ): Promise<HttpReply> {
    const leave = place ? undefined : await this.#enter(lane);
    try {
      const oauth = await loaded(() => import('oauth4webapi'));
      let first: HttpReply | undefined;
      for (const { auth, wasTaken } of proofsOf(this.#configuration, this.#clock)) {
        const reply = await this.#carry(oauth, (options) => request(oauth, auth, options), guard);
        if (!isRefused(reply)) {
          wasTaken();
          return reply;
        }
        first ??= reply;
      }
      return first as HttpReply;
    } finally {
      leave?.();
    }
  }

  async #enter(lane: keyof typeof gates, signal?: AbortSignal): Promise<LeaveGate> {
    signal?.throwIfAborted();
    const { httpTimeoutMs } = this.#configuration;
    const { host } = new URL(this.#server.issuer);
    const free = gates[lane].tryEnter(host);
    if (free) return free;
    // AbortSignal.any() would leave a little memory behind at the given signal each time, and that one lives as long as the process.
    const limit = new AbortController();
    const giveUp = (): void => limit.abort(signal?.reason);
    const cancel = this.#clock.setTimer(httpTimeoutMs, () => limit.abort(noPlace(host, httpTimeoutMs)));
    signal?.addEventListener('abort', giveUp);
    try {
      return await gates[lane].enter(host, limit.signal);
    } finally {
      cancel();
      signal?.removeEventListener('abort', giveUp);
    }
  }

  async #carry(
    oauth: typeof OAuth,
    request: (options: RequestOptions) => Promise<Response>,
    guard: SendGuard | undefined,
  ): Promise<HttpReply> {
    let reply: HttpReply | undefined;
    const send: Send = async (url, { method, headers, body }) => {
      reply = await exchange(url, { method, headers, body, guard }, this.#configuration, this.#clock);
      return new Response(null);
    };
    await request(transportOf(oauth, this.#server.issuer, send));
    if (reply === undefined) throw new Error('The request was not sent.');
    return reply;
  }
}

/** The request was certainly not sent. */
function noPlace(host: string, waitedMs: number): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_UNREACHABLE',
    `${requestsPerHost} requests to ${host} were unanswered for ${waitedMs} ms, so no other was sent. Look at https://status.salesforce.com, and at firewalls and proxies.`,
    { status: 503, retryAfterSeconds: 5 },
  );
}

interface SendOptions {
  guard?: SendGuard | undefined;
  place?: LeaveGate | undefined;
  lane?: keyof typeof gates;
  /** Whether a reply means that the client did not prove itself. */
  isRefused?: (reply: HttpReply) => boolean;
}

type Send = (
  url: string,
  options: { method: 'POST'; headers: Record<string, string>; body: URLSearchParams },
) => Promise<Response>;

type RequestOptions = Transport<Send>;

/** The fields of an answer to a revocation. Salesforce sends a form; RFC 7009 says JSON. */
function revocationError({ status, text }: HttpReply): UpstreamError & { status: number } {
  const form = new URLSearchParams(text.trimStart().startsWith('{') ? '' : text);
  // Salesforce documents two errors with this status. Both mean that the token is not accepted.
  const error = safeText(form.get('error')) ?? (status === 400 ? 'invalid_token' : `status ${status}`);
  return { error, errorDescription: safeText(form.get('error_description')), status };
}

/** Whether Salesforce itself refuses to answer, not a limit or a proxy in between. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![407, 408, 429].includes(status);
}

/** To a client whose proof is wrong, Salesforce says nothing of its tokens, or that none is active. */
function notBelieved(status: number): TokenRequestError {
  const { code, disposition, advice } = meanings.wrongClient;
  return new TokenRequestError(
    disposition,
    code,
    `Salesforce refuses the client, so it does not say whether a refresh token is good. It is asked again later. ${advice}`,
    { status: 502, upstreamStatus: status },
  );
}

/** Introspection was not answered by Salesforce. */
function notAnswered(status: number): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_UPSTREAM',
    `Salesforce could not say whether a refresh token is good (status ${status}). It is asked again later.`,
    { status: 503, upstreamStatus: status, retryAfterSeconds: 5 },
  );
}

function readActive(text: string): unknown {
  try {
    return (JSON.parse(text) as { active?: unknown } | null)?.active;
  } catch {
    return 'unreadable';
  }
}
