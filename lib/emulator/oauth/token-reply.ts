import { userinfoBody } from './identity-bodies';
import { createHmac } from 'node:crypto';
import { jsonReply, type Reply } from '../http/reply';
import { accessTokenHash, signJWT } from '../keys';
import { randomText } from '../org/ids';
import type { Provider } from '../provider';
import type { AccessToken, Grant } from '../state/grants';

/** The identity URL of a grant's user, on the host of the app's policy. */
export function identityUrl(provider: Provider, grant: Grant): string {
  const { user, client } = grant;
  const host = client.policy.idHost === 'login' ? provider.hosts.login : provider.instanceOf(user.organizationId);
  return `${host}/id/${user.organizationId}/${user.userId}`;
}

/**
 * Opens a session for a grant and writes the token reply. As at Salesforce, it has no `expires_in`, and `issued_at` is a
 * text.
 */
export async function tokenReply(
  provider: Provider,
  grant: Grant,
  reply: { issuer: string; refreshToken: string | undefined; nonce: string | undefined },
): Promise<Reply> {
  const { client, user, scopes } = grant;
  const now = provider.clock.now();
  const instanceUrl = provider.instanceOf(user.organizationId);
  const id = identityUrl(provider, grant);
  const access = await openSession(provider, grant, id, now);
  const issuer = client.policy.idTokenIssuer === 'login' ? reply.issuer : instanceUrl;
  const siteUrl = grant.site === '' ? undefined : provider.hosts.login + grant.site;
  const { expiresInSeconds } = client.policy;
  return jsonReply({
    access_token: access.token,
    ...(reply.refreshToken === undefined ? {} : { refresh_token: reply.refreshToken }),
    // A public client has no secret. The key is random, so that no client can rely on this signature.
    signature: createHmac('sha256', client.clientSecret || randomText(32))
      .update(id + String(now))
      .digest('base64'),
    token_format: access.format,
    scope: scopes.join(' '),
    ...(scopes.includes('openid')
      ? { id_token: await signIdToken(provider, grant, { issuer, id, access, nonce: reply.nonce }) }
      : {}),
    instance_url: instanceUrl,
    id,
    token_type: 'Bearer',
    issued_at: String(now),
    ...(siteUrl === undefined ? {} : { sfdc_community_url: siteUrl, sfdc_community_id: '0DBFAKE00000001' }),
    ...(expiresInSeconds === undefined ? {} : { expires_in: expiresInSeconds }),
  });
}

async function openSession(provider: Provider, grant: Grant, id: string, now: number): Promise<AccessToken> {
  const { client, user } = grant;
  const { policy } = client;
  const isOpaque = policy.accessTokenFormat === 'opaque';
  const slidesByMs = (policy.sessionTimeoutSeconds ?? provider.settings.sessionTimeoutSeconds) * 1000;
  const expiresAt = now + (isOpaque ? slidesByMs : policy.jwtTimeoutSeconds * 1000);
  const access: AccessToken = {
    token: isOpaque
      ? `${user.organizationId.slice(0, 15)}!AQ.${randomText(92)}`
      : await signAccessToken(provider, grant, id, now, expiresAt),
    grant,
    format: policy.accessTokenFormat,
    issuedAt: now,
    instanceOrigin: provider.instanceOf(user.organizationId),
    slidesByMs: isOpaque ? slidesByMs : undefined,
    expiresAt,
    revoked: false,
  };
  provider.grants.addAccessToken(access);
  return access;
}

function signAccessToken(
  provider: Provider,
  { client, user, scopes }: Grant,
  id: string,
  now: number,
  expiresAt: number,
): Promise<string> {
  const instanceUrl = provider.instanceOf(user.organizationId);
  const claims = {
    iss: instanceUrl,
    sub: id,
    aud: [instanceUrl],
    scp: scopes.join(' '),
    client_id: client.clientID,
    nbf: seconds(now),
    exp: seconds(expiresAt),
    // Without it, two tokens of the same second would be equal.
    jti: randomText(24),
  };
  return signJWT(claims, {
    tty: 'sfdc-core-token',
    tnk: `core/fake/${user.organizationId.slice(0, 15)}`,
    ver: '1.0',
  });
}

/** The ID token, signed with RS256 as the discovery document says. A refresh omits the nonce (OpenID Connect Core, 12.2). */
function signIdToken(
  provider: Provider,
  { client, user }: Grant,
  token: { issuer: string; id: string; access: AccessToken; nonce: string | undefined },
): Promise<string> {
  const now = provider.clock.now();
  return signJWT({
    iss: token.issuer,
    sub: token.id,
    aud: client.clientID,
    iat: seconds(now),
    exp: seconds(now) + client.policy.idTokenTimeoutSeconds,
    at_hash: accessTokenHash(token.access.token),
    ...(token.nonce === undefined ? {} : { nonce: token.nonce }),
    ...(client.policy.includeStandardClaims ? userinfoBody(provider, user, token.id) : {}),
  });
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
