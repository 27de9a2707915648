import type { Exchange } from '../http/exchange';
import { htmlReply, jsonReply, plainError, redirectReply, type Reply } from '../http/reply';
import { messagePage } from '../pages/pages';
import type { Provider } from '../provider';
import { bearer } from './bearer';
import { browserOf, withBrowser } from './steps';

const frontdoorPath = '/secur/frontdoor.jsp';

/**
 * The UI bridge, `GET` and `POST /services/oauth2/singleaccess`: turns an access token into a URL that opens Salesforce in a
 * browser. Salesforce's answer to a target outside the organization is not documented. The emulator answers 400 with plain
 * text.
 */
export function singleAccess(provider: Provider, exchange: Exchange): Reply {
  const access = bearer(provider, exchange);
  if (access === 'missing') return plainError('Missing_OAuth_Token');
  if (access === 'bad' || access.grant.user.apiOnly) return plainError('Bad_OAuth_Token');
  const { scopes, user } = access.grant;
  // A JWT-based token cannot open the user interface.
  if (access.format === 'jwt' || !(scopes.includes('web') || scopes.includes('full'))) {
    return plainError('Invalid_Scope');
  }
  const instance = provider.instanceOf(user.organizationId);
  const asked = exchange.query.get('redirect_uri') ?? exchange.form.get('redirect_uri') ?? '/';
  const target = URL.canParse(asked, `${instance}/`) ? new URL(asked, `${instance}/`) : undefined;
  if (target?.origin !== instance) return plainError('Invalid_Redirect_URI', undefined, 400);
  const query = new URLSearchParams({
    otp: provider.browsers.issueOneTimePassword(user),
    startURL: target.pathname + target.search,
  });
  return jsonReply({ frontdoor_uri: `${instance}${frontdoorPath}?${query.toString()}` });
}

/** Opens a browser session with a URL of {@link singleAccess}, which works once, and redirects to the requested page. */
export function frontdoor(provider: Provider, exchange: Exchange): Reply {
  const user = provider.browsers.takeOneTimePassword(exchange.query.get('otp'));
  if (!user?.active) return redirectReply(`${exchange.site}/`);
  const browser = provider.browsers.create();
  provider.browsers.logIn(browser, user);
  const start = exchange.query.get('startURL') ?? '/';
  return withBrowser(provider, browser, redirectReply(/^\/(?![/\\])/.test(start) ? start : '/'));
}

/** Every page of the user interface. It names the user and the path. */
export function lightning(provider: Provider, exchange: Exchange): Reply {
  const user = browserOf(provider, exchange)?.user;
  if (!user?.active) return htmlReply(messagePage('Log in to Salesforce', 'No user is logged in.'), 401);
  return htmlReply(messagePage('Lightning Experience', `${user.displayName} is logged in, at ${exchange.path}.`));
}
