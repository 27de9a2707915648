import type { Exchange } from '../http/exchange';
import { htmlReply, type Reply } from '../http/reply';
import { messagePage } from '../pages/pages';
import type { Provider } from '../provider';
import { browserOf } from './steps';

/**
 * Ends the browser session, at `/services/auth/idp/oidc/logout` and `/secur/logout.jsp`. Tokens stay valid. Salesforce's own
 * settings decide where the browser goes next, so `post_logout_redirect_uri` is ignored.
 */
export function logout(provider: Provider, exchange: Exchange): Reply {
  const browser = browserOf(provider, exchange);
  if (browser) browser.user = undefined;
  return htmlReply(messagePage('Logged out', 'You are logged out of Salesforce.'));
}
