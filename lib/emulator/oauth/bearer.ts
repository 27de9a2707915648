import type { Exchange } from '../http/exchange';
import type { Provider } from '../provider';
import type { AccessToken } from '../state/grants';

/** The access token of a request, `missing` or `bad`. Using it keeps an opaque session alive. */
export function bearer(
  provider: Provider,
  exchange: Exchange,
  { queryParameter = false }: { queryParameter?: boolean } = {},
): AccessToken | 'missing' | 'bad' {
  const match = /^(?:Bearer|OAuth) +(\S+)$/i.exec(exchange.header('authorization') ?? '');
  // The identity URL takes the token in the query too, which jsforce makes use of.
  const token = match?.[1] ?? (queryParameter ? exchange.query.get('oauth_token') : null);
  if (token === null) return 'missing';
  return provider.grants.useAccessToken(token) ?? 'bad';
}
