import { runWithFaults } from '../faults/run';
import type { Exchange } from '../http/exchange';
import { oauthError, type Reply } from '../http/reply';
import type { Provider } from '../provider';
import { clientCredentialsGrant, jwtBearerGrant } from './app-grants';
import { authorizationCodeGrant } from './code-grant';
import { refreshTokenGrant } from './refresh-grant';
import { inRequestedFormat } from './token-format';

/** The token endpoint (RFC 6749, section 3.2). */
export async function token(provider: Provider, exchange: Exchange): Promise<Reply> {
  return inRequestedFormat(exchange, await answer(provider, exchange));
}

async function answer(provider: Provider, exchange: Exchange): Promise<Reply> {
  if (exchange.method !== 'POST') return oauthError('invalid_request', 'must use HTTP POST');
  const grantType = exchange.form.get('grant_type');
  switch (grantType) {
    case 'authorization_code':
      return runWithFaults(provider.faults, exchange, ['code', 'token'], oauthError, () =>
        checked(exchange, () => authorizationCodeGrant(provider, exchange)),
      );
    case 'refresh_token':
      return whileLocked(provider, exchange, () =>
        runWithFaults(provider.faults, exchange, ['refresh', 'token'], oauthError, () =>
          checked(exchange, () => refreshTokenGrant(provider, exchange)),
        ),
      );
    case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
      return runWithFaults(provider.faults, exchange, ['token'], oauthError, () =>
        checked(exchange, () => jwtBearerGrant(provider, exchange)),
      );
    case 'client_credentials':
      return runWithFaults(provider.faults, exchange, ['token'], oauthError, () =>
        checked(exchange, () => clientCredentialsGrant(provider, exchange)),
      );
    default:
      return runWithFaults(provider.faults, exchange, ['token'], oauthError, () =>
        oauthError('unsupported_grant_type', 'grant type not supported'),
      );
  }
}

/** Refuses repeated parameters (RFC 6749, section 3.2). */
function checked(exchange: Exchange, grant: () => Promise<Reply>): Reply | Promise<Reply> {
  const names = [...exchange.form.keys()];
  return new Set(names).size === names.length ? grant() : oauthError('invalid_request', 'duplicate parameter');
}

/** Salesforce processes one refresh of a token at a time, and refuses every other refresh of the token meanwhile. */
async function whileLocked(provider: Provider, exchange: Exchange, work: () => Promise<Reply>): Promise<Reply> {
  const refreshToken = exchange.form.get('refresh_token');
  if (refreshToken === null || refreshToken === '') return work();
  const unlock = provider.presentations.begin(
    refreshToken,
    exchange.form.get('client_id') ?? '',
    provider.grants,
    provider.clock.now(),
  );
  if (!unlock) return oauthError('invalid_grant', 'token request is already being processed');
  try {
    return await work();
  } finally {
    unlock();
  }
}
