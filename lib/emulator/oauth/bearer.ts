import type { Exchange } from '../http/exchange';
import type { Provider } from '../provider';
import type { AccessToken } from '../state/grants';

/** The access token of a request, or `missing`, or `bad`. The use extends an opaque session. */
export function bearer(
  provider: Provider,
  exchange: Exchange,
  { parameter = false }: { parameter?: boolean } = {},
): AccessToken | 'missing' | 'bad' {
  const token = bearerToken(exchange, parameter);
  if (token === null) return 'missing';
  return provider.grants.useAccessToken(token) ?? 'bad';
}

/** The token in the header or, if `parameter` is set, in `oauth_token` of the query or form. */
export function bearerToken(exchange: Exchange, parameter: boolean): string | null {
  const match = /^(?:Bearer|OAuth) +(\S+)$/i.exec(exchange.header('authorization') ?? '');
  if (match?.[1] !== undefined) return match[1];
  return parameter ? (exchange.query.get('oauth_token') ?? exchange.form.get('oauth_token')) : null;
}
