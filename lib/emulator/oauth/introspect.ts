import { runWithFaults } from '../faults/run';
import type { Exchange } from '../http/exchange';
import { jsonReply, oauthError, type Reply } from '../http/reply';
import type { Provider } from '../provider';
import type { Grant } from '../state/grants';
import { authenticateClient } from './client-authentication';
import { identityUrl } from './token-reply';

/**
 * Introspects a token (RFC 7662). A client without proven credentials gets `active: false` for every token, so the answer
 * proves nothing to a public client.
 */
export function introspect(provider: Provider, exchange: Exchange): Promise<Reply> {
  return runWithFaults(provider.faults, exchange, ['introspect'], oauthError, () => answer(provider, exchange));
}

function answer(provider: Provider, exchange: Exchange): Reply {
  const inactive = jsonReply({ active: false });
  const authentication = authenticateClient(provider, exchange);
  if ('refused' in authentication || !authentication.proven) return inactive;
  const { client } = authentication;
  const { grants } = provider;
  const value = exchange.form.get('token') ?? '';
  const access = grants.findAccessToken(value);
  if (access?.grant.client === client) {
    return active(provider, access.grant, 'access_token', access.issuedAt, access.expiresAt);
  }
  const grant = grants.isRefreshTokenLive(value) ? grants.grantOf(value) : undefined;
  return grant?.client === client ? active(provider, grant, 'refresh_token', grant.createdAt, undefined) : inactive;
}

function active(
  provider: Provider,
  grant: Grant,
  tokenType: 'access_token' | 'refresh_token',
  issuedAt: number,
  expiresAt: number | undefined,
): Reply {
  return jsonReply({
    active: true,
    scope: grant.scopes.join(' '),
    client_id: grant.client.clientID,
    username: grant.user.username,
    sub: identityUrl(provider, grant),
    token_type: tokenType,
    ...(expiresAt === undefined ? {} : { exp: Math.floor(expiresAt / 1000) }),
    iat: Math.floor(issuedAt / 1000),
    nbf: Math.floor(issuedAt / 1000),
  });
}
