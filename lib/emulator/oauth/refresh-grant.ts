import type { Exchange } from '../http/exchange';
import { oauthError, type Reply } from '../http/reply';
import type { Provider } from '../provider';
import { accessError } from './app-access';
import { authenticateUserFlow } from './client-authentication';
import { tokenReply } from './token-reply';

/** Refreshes (RFC 6749, section 6). The caller holds the lock of the token and has counted the presentation. */
export async function refreshTokenGrant(provider: Provider, exchange: Exchange): Promise<Reply> {
  const { grants, clock } = provider;
  const authentication = authenticateUserFlow(provider, exchange, 'requireSecretForRefreshTokenFlow');
  if ('refused' in authentication) return authentication.refused;
  const { client } = authentication;
  const refreshToken = exchange.form.get('refresh_token') ?? '';
  const grant = grants.grantOf(refreshToken);
  if (grant?.client !== client) return expired();
  if (grants.isSpent(refreshToken)) {
    // Salesforce treats reuse as theft and revokes the current token too. There is no grace period.
    grants.revoke(grant);
    return expired();
  }
  const refusal = grant.revoked ? expired() : accessError(provider, client, grant.user, grant.scopes);
  if (refusal) return refusal;
  if (!grants.isRefreshTokenLive(refreshToken)) return expired();
  grant.lastUsedAt = clock.now();
  return tokenReply(provider, grant, {
    issuer: exchange.origin + exchange.site,
    // Without rotation the reply has no refresh token, and the old token stays valid.
    refreshToken: client.policy.rotateRefreshTokens ? grants.rotate(grant) : undefined,
    nonce: undefined,
  });
}

function expired(): Reply {
  return oauthError('invalid_grant', 'expired access/refresh token');
}
