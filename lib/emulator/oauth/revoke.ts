import { runWithFaults } from '../faults/run';
import type { Exchange } from '../http/exchange';
import type { Reply } from '../http/reply';
import type { Provider } from '../provider';

/**
 * Revokes a token (RFC 7009). Unlike the RFC, Salesforce answers a token it does not know with 400, and errors with a
 * form instead of JSON. Needs no client authentication.
 */
export function revoke(provider: Provider, exchange: Exchange): Promise<Reply> {
  return runWithFaults(provider.faults, exchange, ['revoke'], formError, () => answer(provider, exchange));
}

function answer({ grants }: Provider, exchange: Exchange): Reply {
  if (exchange.method !== 'POST') return formError('invalid_request', 'must use HTTP POST');
  const { form } = exchange;
  const hint = form.get('token_type_hint');
  if (hint !== null && hint !== 'access_token' && hint !== 'refresh_token') {
    return formError('unsupported_token_type', 'token type not supported');
  }
  const value = form.get('token') ?? '';
  const access = grants.findAccessToken(value);
  const grant = access?.grant ?? (grants.isRefreshTokenLive(value) ? grants.grantOf(value) : undefined);
  const clientID = form.get('client_id');
  if (!grant || (clientID !== null && clientID !== grant.client.clientID)) {
    return formError('invalid_token', 'invalid token');
  }
  if (access) access.revoked = true;
  else grants.revoke(grant);
  return { status: 200, headers: {}, text: '' };
}

function formError(error: string, description?: string, status?: number): Reply {
  const form = new URLSearchParams({ error, ...(description === undefined ? {} : { error_description: description }) });
  return {
    status: status ?? 400,
    headers: {},
    text: form.toString(),
    contentType: 'application/x-www-form-urlencoded;charset=UTF-8',
  };
}
