import type { AuthorizationServer } from 'oauth4webapi';
import { parseJsonObject } from '../json-object';
import { safeText } from '../salesforce-errors/safe-text';
import type { HttpReply } from './http';
import { oauthError, TokenRequestError, type TokenGrantType } from './token-error';
import type { TokenEndpointReply } from './types';

/**
 * Reads a reply of the token endpoint: first errors, then the format, then each field.
 *
 * After a success that cannot be read it is unknown whether a refresh token was spent.
 *
 * @throws TokenRequestError
 */
export async function processTokenReply(
  grantType: TokenGrantType,
  reply: HttpReply,
  server: AuthorizationServer,
  clientID: string,
): Promise<TokenEndpointReply> {
  const body = parseJsonObject(reply.text);
  // Another 2xx is a success that a proxy has changed: it must not count as refused.
  if (reply.status < 200 || reply.status > 299) throw errorOf(grantType, reply, body);
  if (reply.text.trim() === '') throw unreadable('is empty', reply);
  if (!body) {
    if (/^\s*[{[]/.test(reply.text)) throw unreadable('is cut off or not valid JSON', reply);
    throw unreadable('is not JSON but perhaps a web page', reply);
  }
  if (typeof body['access_token'] !== 'string' || body['access_token'] === '') {
    throw unreadable('has no access_token', reply);
  }
  // RFC 6749, appendix A.12: VSCHAR. An error for a header with another character would quote the token.
  if (
    !isTokenText(body['access_token']) ||
    (body['refresh_token'] !== undefined && !isTokenText(body['refresh_token']))
  ) {
    throw unreadable('has a token that is none', reply);
  }
  // The ID token is checked later, once the tokens are stored: a fault in it must not lose a rotated refresh token.
  const { id_token: idToken, ...rest } = body;
  const response = new Response(JSON.stringify({ token_type: 'Bearer', ...rest }), {
    headers: { 'content-type': 'application/json' },
  });
  const { processGenericTokenEndpointResponse } = await import('oauth4webapi');
  try {
    await processGenericTokenEndpointResponse(server, { client_id: clientID }, response);
  } catch {
    throw unreadable('has a field of the wrong type', reply);
  }
  return { ...pickTexts(rest), ...lifeOf(rest), ...(typeof idToken === 'string' ? { id_token: idToken } : {}) };
}

function isTokenText(value: unknown): boolean {
  return typeof value === 'string' && /^[\x20-\x7e]+$/.test(value);
}

/** More than any policy of Salesforce's gives, in seconds: ten years. A store has to be able to count in it. */
export const maxLifeSeconds = 10 * 365 * 24 * 60 * 60;

const textFields = [
  'access_token',
  'refresh_token',
  'token_type',
  'scope',
  'instance_url',
  'id',
  'issued_at',
  'signature',
  'sfdc_community_url',
  'sfdc_community_id',
] as const;

/** Copies known fields only, so that the rest of a reply goes no further. */
function pickTexts(body: Record<string, unknown>): TokenEndpointReply {
  const reply: Record<string, string> = {};
  for (const name of textFields) {
    const value = body[name];
    if (typeof value === 'string') reply[name] = value;
  }
  return reply as unknown as TokenEndpointReply;
}

function lifeOf(body: Record<string, unknown>): Pick<TokenEndpointReply, 'expires_in'> {
  const seconds = Number(body['expires_in']);
  return body['expires_in'] !== undefined && Number.isFinite(seconds) && seconds > 0
    ? { expires_in: Math.min(seconds, maxLifeSeconds) }
    : {};
}

function errorOf(
  grantType: TokenGrantType,
  reply: HttpReply,
  body: Record<string, unknown> | undefined,
): TokenRequestError {
  const askedForSeconds = parseRetryAfter(reply.headers.get('retry-after'));
  const error = safeText(body?.['error']);
  if (error !== undefined) {
    const errorDescription = safeText(body?.['error_description']);
    return oauthError(grantType, { error, errorDescription, status: reply.status, askedForSeconds });
  }
  // 429 and 503 refuse a request before it is worked on; another 5xx may come from a proxy after it was carried out.
  const refusedAtTheDoor = reply.status === 429 || (reply.status === 503 && !wasCutOff(reply.text));
  const said = `Salesforce answered with status ${reply.status} and no OAuth error.`;
  if (!refusedAtTheDoor && reply.status < 500) {
    return new TokenRequestError('refused', 'ERR_SALESFORCE_OAUTH', `${said} Check the baseUrl option.`, {
      status: 502,
      upstreamStatus: reply.status,
      askedForSeconds,
    });
  }
  return new TokenRequestError(
    refusedAtTheDoor ? 'transient' : 'inDoubt',
    reply.status === 429 ? 'ERR_SALESFORCE_RATE_LIMITED' : 'ERR_SALESFORCE_UPSTREAM',
    `${said} Try again later.`,
    { status: 503, upstreamStatus: reply.status, askedForSeconds },
  );
}

/**
 * Whether a 503 is that of an Envoy proxy whose connection broke when it had passed the request on. It tells the reason in its
 * page; the reasons named here come before that.
 */
function wasCutOff(page: string): boolean {
  const [, reason] = /disconnect\/reset before headers(.*)/s.exec(page) ?? [];
  return reason !== undefined && !/connection failure|connection timeout|overflow|refused stream/.test(reason);
}

function unreadable(what: string, reply: HttpReply): TokenRequestError {
  return new TokenRequestError(
    'inDoubt',
    'ERR_SALESFORCE_REPLY_INVALID',
    `The reply of the token endpoint ${what}. Check that baseUrl is a Salesforce host and that no proxy answers for it.`,
    { status: 502, upstreamStatus: reply.status },
  );
}

/** Seconds from a `Retry-After` in its delay form (RFC 9110, section 10.2.3), at most an hour. */
function parseRetryAfter(value: string | null): number | undefined {
  if (value === null || !/^\d{1,6}$/.test(value.trim())) return undefined;
  return Math.min(Number(value), 3600);
}
