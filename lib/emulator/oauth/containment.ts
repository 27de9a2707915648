import type { Exchange } from '../http/exchange';
import type { Provider } from '../provider';
import { bearerToken } from './bearer';

/**
 * Salesforce's containment. If a request comes from an address with a bad reputation, Salesforce freezes the user of its
 * token and revokes the tokens of that user.
 */
export function containUser(provider: Provider, exchange: Exchange): void {
  const { containedAddresses } = provider.settings;
  if (!containedAddresses?.includes(exchange.address)) return;
  const { grants } = provider;
  const accessToken = bearerToken(exchange, true);
  const refreshToken = exchange.form.get('refresh_token');
  const grant =
    (accessToken === null ? undefined : grants.findAccessToken(accessToken)?.grant) ??
    (refreshToken === null ? undefined : grants.grantOf(refreshToken));
  if (grant) provider.contain(grant.user);
}
