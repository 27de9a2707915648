import { randomName } from '../crypto/random-name';
import { SalesforceAuthError } from '../errors';
import type { Configuration } from '../options/configuration';
import { isTrustedHost, parseUrl } from '../salesforce/hosts';
import { parseIdentityUrl, readIdentityUrl, type Identity } from '../salesforce/identity-url';
import { isSignatureValid } from '../salesforce/signature';
import { maxLifeSeconds } from './reply';
import { unprovenClaims } from './token-format';
import type { TokenEndpointReply, TokenSet } from './types';

/**
 * Turns a reply of the code exchange into tokens to keep, once every URL in it and its signature are proven.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_HOST_NOT_TRUSTED`, `ERR_SALESFORCE_HOST_NOT_TRUSTED`,
 *   `ERR_SALESFORCE_SIGNATURE_INVALID`
 */
export function toTokenSet(reply: TokenEndpointReply, configuration: Configuration, baseUrl: string): TokenSet {
  const identity = parseIdentityUrl(reply.id, configuration.trustedHosts);
  checkSignature(reply, configuration);
  const siteUrl = trustedOrigin(reply.sfdc_community_url, configuration);
  return {
    accessToken: reply.access_token,
    scope: scopeOf(reply, configuration.scope),
    instanceUrl: parseInstanceUrl(reply.instance_url, configuration),
    ...identity,
    baseUrl,
    clientID: configuration.clientID,
    loginId: randomName(),
    ...(configuration.tenant === undefined ? {} : { tenant: configuration.tenant }),
    ...(reply.refresh_token === undefined ? {} : { refreshToken: reply.refresh_token }),
    ...(siteUrl === undefined ? {} : { siteUrl }),
    ...life(reply),
  };
}

/**
 * Lays the reply of a refresh over the tokens that were refreshed: what it leaves out still holds.
 *
 * An instance URL that is not trusted is left out as well, and reported beside the tokens rather than thrown: the rotated
 * refresh token in the same reply has to be kept whatever else is wrong.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_IDENTITY_CHANGED` if the reply is about another user; nothing of it is kept
 */
export function refreshTokenSet(
  previous: TokenSet,
  reply: TokenEndpointReply,
  configuration: Configuration,
): { tokens: TokenSet; problem: SalesforceAuthError | undefined } {
  // The login proved who the user is, and nothing is sent to the URL in a refresh: neither its host nor its signature may
  // cost a rotated token. For some minutes after a Consumer Secret was replaced, Salesforce may sign with the other one.
  const identity = readIdentityUrl(reply.id);
  const isKnown = previous.organizationId !== '';
  if (identity && isKnown && !isSame(identity, previous)) throw identityChanged();
  let instanceUrl = previous.instanceUrl;
  let problem: SalesforceAuthError | undefined;
  try {
    if (reply.instance_url !== undefined) instanceUrl = parseInstanceUrl(reply.instance_url, configuration);
  } catch (error) {
    problem = error as SalesforceAuthError;
  }
  const { lifeMs: _ended, ...kept } = previous;
  const tokens: TokenSet = {
    ...kept,
    accessToken: reply.access_token,
    refreshToken: reply.refresh_token ?? previous.refreshToken,
    scope: scopeOf(reply, previous.scope),
    instanceUrl,
    ...life(reply),
  } as TokenSet;
  if (isKnown || problem) return { tokens, problem };
  // Tokens that are adopted. No login has proven whose they are, so this reply has to.
  try {
    const siteUrl = trustedOrigin(reply.sfdc_community_url, configuration);
    const proven = parseIdentityUrl(reply.id, configuration.trustedHosts);
    checkSignature(reply, configuration);
    return { tokens: { ...tokens, ...proven, ...(siteUrl === undefined ? {} : { siteUrl }) }, problem };
  } catch (error) {
    return { tokens, problem: error as SalesforceAuthError };
  }
}

function isSame(one: Identity, other: Identity): boolean {
  return one.organizationId === other.organizationId && one.userId === other.userId;
}

/** The reply to a refresh is about another user, or does not name the user although it has to. */
export function identityChanged(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_IDENTITY_CHANGED',
    'Salesforce answered a refresh with the tokens of another user, or a new host did not say whose they are; they were ' +
      'thrown away.',
    { status: 502 },
  );
}

function scopeOf(reply: TokenEndpointReply, fallback: readonly string[]): readonly string[] {
  return reply.scope === undefined ? fallback : reply.scope.split(' ').filter((scope) => scope !== '');
}

function parseInstanceUrl(value: string | undefined, configuration: Configuration): string {
  const origin = trustedOrigin(value, configuration);
  if (origin !== undefined) return origin;
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_HOST_NOT_TRUSTED',
    'The instance URL ("instance_url") in the token reply is not a Salesforce host, so no token is sent there. ' +
      "If it is your organization's own domain, name its host in the allowedHosts option.",
    { status: 502 },
  );
}

function trustedOrigin(value: string | undefined, configuration: Configuration): string | undefined {
  const url = value === undefined ? undefined : parseUrl(value);
  return url && isTrustedHost(url, configuration.trustedHosts) ? url.origin : undefined;
}

function checkSignature(reply: TokenEndpointReply, configuration: Configuration): void {
  // A client without a secret, public or with a key, cannot verify; it proves identity by ID token or userinfo.
  if (configuration.clientSecret === undefined) return;
  const { id = '', issued_at: issuedAt = '', signature = '' } = reply;
  if (isSignatureValid(configuration.clientSecret, id, issuedAt, signature)) return;
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_SIGNATURE_INVALID',
    'The signature of the token reply does not match its identity URL. Check that clientSecret belongs to clientID; ' +
      'after a rotation of the Consumer Secret both may be in use for some minutes.',
    { status: 502 },
  );
}

/**
 * The life of an access token, if it is told: `expires_in`, or the `exp` of a JWT against Salesforce's own `iat` or
 * `issued_at`, at most ten years. This machine's clock takes no part, since it may be wrong.
 */
function life(reply: TokenEndpointReply): Pick<TokenSet, 'lifeMs'> {
  if (reply.expires_in !== undefined) return { lifeMs: reply.expires_in * 1000 };
  const claims = jwtClaims(reply.access_token);
  const expiresAt = Number(claims?.['exp']) * 1000;
  const issuedAt = claims?.['iat'] === undefined ? Number(reply.issued_at) : Number(claims['iat']) * 1000;
  const lifeMs = expiresAt - issuedAt;
  return Number.isFinite(lifeMs) && lifeMs > 0 ? { lifeMs: Math.min(lifeMs, maxLifeSeconds * 1000) } : {};
}

/** The claims of a JWT access token, read for its life alone and trusted for nothing else. */
function jwtClaims(token: string): Record<string, unknown> | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined || token.includes('!')) return undefined;
  return unprovenClaims(token);
}
