import { readCookie } from '../http/cookies';
import type { Exchange } from '../http/exchange';
import { redirectReply, type Reply } from '../http/reply';
import type { EmulatorUser } from '../org/users';
import { pagePaths } from '../pages/pages';
import type { Provider } from '../provider';
import type { Browser, Transaction } from '../state/browsers';
import { denialOf } from './app-access';
import { callback, callbackWithError } from './callback';

/** Name of the session cookie. It contains the port, because all ports of localhost share their cookies. */
function cookieName(provider: Provider): string {
  return `emulator_sid_${new URL(provider.hosts.login).port}`;
}

export function browserOf(provider: Provider, exchange: Exchange): Browser | undefined {
  return provider.browsers.find(readCookie(exchange.header('cookie'), cookieName(provider)));
}

/** Sets the session cookie on a reply. */
export function withBrowser(provider: Provider, browser: Browser, reply: Reply): Reply {
  const cookie = `${cookieName(provider)}=${browser.id}; Path=/; HttpOnly; SameSite=Lax`;
  return { ...reply, headers: { ...reply.headers, 'set-cookie': cookie } };
}

/** The user of this browser, if that user may log in at the site. */
function userAt(provider: Provider, browser: Browser | undefined, site: string): EmulatorUser | undefined {
  const user = browser?.user;
  const organizationId = provider.organizationOfSite(site);
  return user?.active && (organizationId === undefined || user.organizationId === organizationId) ? user : undefined;
}

/** The next step of an authorization request: login, account chooser, approval, or back to the app. */
export function continueAuthorization(
  provider: Provider,
  exchange: Exchange,
  transaction: Transaction,
  immediate = false,
): Reply {
  const { client, scopes, prompt, site, redirectURI, state } = transaction;
  const browser = browserOf(provider, exchange);
  const user = userAt(provider, browser, site);
  const isPreApproved = client.policy.adminApprovedUsers !== undefined;
  const asks = (name: string): boolean => prompt.includes(name);
  const finishWithError = (error: string, description: string): Reply => {
    const answer = callbackWithError(redirectURI, state, error, description);
    provider.browsers.finish(transaction, answer);
    return answer;
  };

  // A blocked app is refused before the user enters a password.
  if (client.policy.blocked) return finishWithError('OAUTH_APP_BLOCKED', 'this app is blocked by admin');
  const isApproved = user !== undefined && (isPreApproved || provider.grants.isApproved(client, user, scopes));
  if (immediate && (!user || !isApproved || prompt.length > 0)) {
    return finishWithError('immediate_unsuccessful', 'immediate unsuccessful');
  }
  if (asks('select_account') && !transaction.chosen && (browser?.remembered.length ?? 0) > 1) {
    return toPage(transaction, pagePaths.chooser);
  }
  if (!user || (asks('login') && !transaction.loggedIn)) return toPage(transaction, pagePaths.login);
  const denial = denialOf(provider, client, user, scopes);
  if (denial) return finishWithError(denial.browser.error, denial.browser.description);
  const mustAsk = !isApproved || asks('consent') || asks('select_account');
  if (mustAsk && transaction.approvedBy !== user) return toPage(transaction, pagePaths.approval);

  provider.grants.approve(client, user, scopes);
  const { nonce, codeChallenge } = transaction;
  const code = provider.codes.issue({ client, user, scopes, redirectURI, nonce, codeChallenge, site });
  const answer = callback(redirectURI, state, { code });
  provider.browsers.finish(transaction, answer);
  return answer;
}

function toPage({ site, source }: Transaction, path: string): Reply {
  return redirectReply(`${site}${path}?${new URLSearchParams({ source }).toString()}`);
}
