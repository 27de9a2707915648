import type { Exchange } from '../http/exchange';
import type { Provider } from '../provider';
import type { AccessToken } from '../state/grants';

/** The access token of a request, `missing` or `bad`. Using it keeps an opaque session alive. */
export function bearer(
  provider: Provider,
  exchange: Exchange,
  { parameter = false }: { parameter?: boolean } = {},
): AccessToken | 'missing' | 'bad' {
  const token = bearerToken(exchange, parameter);
  if (token === null) return 'missing';
  return provider.grants.useAccessToken(token) ?? 'bad';
}

/** The token as it was sent: in the header or, if `parameter` is set, in the query or form as `oauth_token`. */
export function bearerToken(exchange: Exchange, parameter: boolean): string | null {
  const match = /^(?:Bearer|OAuth) +(\S+)$/i.exec(exchange.header('authorization') ?? '');
  if (match?.[1] !== undefined) return match[1];
  return parameter ? (exchange.query.get('oauth_token') ?? exchange.form.get('oauth_token')) : null;
}
