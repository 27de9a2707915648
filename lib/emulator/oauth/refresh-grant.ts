import type { Exchange } from '../http/exchange';
import { oauthError, type Reply } from '../http/reply';
import type { Provider } from '../provider';
import { accessError, addressError } from './app-access';
import { authenticateClient } from './client-authentication';
import { tokenReply } from './token-reply';

/** Refreshes (RFC 6749, section 6). The caller holds the token's lock and counted the presentation. */
export async function refreshTokenGrant(provider: Provider, exchange: Exchange): Promise<Reply> {
  const { grants, clock } = provider;
  const authentication = authenticateClient(provider, exchange);
  if ('refused' in authentication) return authentication.refused;
  const { client, proven } = authentication;
  if (client.policy.requireSecretForRefreshTokenFlow && !proven) {
    return oauthError('invalid_client', 'invalid client credentials');
  }
  const wrongAddress = addressError(client, exchange);
  if (wrongAddress) return wrongAddress;
  const refreshToken = exchange.form.get('refresh_token') ?? '';
  const grant = grants.grantOf(refreshToken);
  if (grant?.client !== client) return expired();
  if (grants.isSpent(refreshToken)) {
    // Salesforce takes reuse for theft: the current token goes too, and there is no grace period.
    grants.revoke(grant);
    return expired();
  }
  const refusal = grant.revoked ? expired() : accessError(provider, client, grant.user, grant.scopes);
  if (refusal) return refusal;
  if (!grants.isRefreshTokenLive(refreshToken)) return expired();
  grant.lastUsedAt = clock.now();
  return tokenReply(provider, grant, {
    issuer: exchange.origin + exchange.site,
    // Without rotation the reply has no refresh token, and the old one still holds.
    refreshToken: client.policy.rotateRefreshTokens ? grants.rotate(grant) : undefined,
    nonce: undefined,
  });
}

function expired(): Reply {
  return oauthError('invalid_grant', 'expired access/refresh token');
}
