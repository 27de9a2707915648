import { runWithFaults } from '../faults/run';
import type { Exchange } from '../http/exchange';
import type { Reply } from '../http/reply';
import type { Provider } from '../provider';
import { authenticateClient } from './client-authentication';

/**
 * Revokes a token (RFC 7009). Unlike the RFC, Salesforce answers an unknown token with 400, and sends errors as a form
 * instead of JSON. The token is in the form or, from older clients, in the query. Client authentication is optional, and
 * checked if present.
 */
export function revoke(provider: Provider, exchange: Exchange): Promise<Reply> {
  return runWithFaults(provider.faults, exchange, ['revoke'], formError, () => answer(provider, exchange));
}

function answer(provider: Provider, exchange: Exchange): Reply {
  const { method, form, query } = exchange;
  if (method !== 'POST' && method !== 'GET') return formError('invalid_request', 'must use HTTP POST');
  const authentication = identifiesClient(exchange) ? authenticateClient(provider, exchange) : undefined;
  if (authentication && 'refused' in authentication) {
    const { error, error_description } = authentication.refused.json as { error: string; error_description: string };
    return formError(error, error_description);
  }
  const { grants } = provider;
  const hint = form.get('token_type_hint') ?? query.get('token_type_hint');
  if (hint !== null && hint !== 'access_token' && hint !== 'refresh_token') {
    return formError('unsupported_token_type', 'token type not supported');
  }
  const value = form.get('token') ?? query.get('token') ?? '';
  const access = grants.findAccessToken(value);
  const grant = access?.grant ?? (grants.isRefreshTokenLive(value) ? grants.grantOf(value) : undefined);
  if (!grant || (authentication && authentication.client !== grant.client)) {
    return formError('invalid_token', 'invalid token');
  }
  if (access) access.revoked = true;
  else grants.revoke(grant);
  return { status: 200, headers: {}, text: '' };
}

function identifiesClient(exchange: Exchange): boolean {
  const { form } = exchange;
  const hasBasic = /^Basic /i.test(exchange.header('authorization') ?? '');
  return hasBasic || form.has('client_id') || form.has('client_assertion');
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
