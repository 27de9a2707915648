import type { Exchange } from '../http/exchange';
import { htmlReply, type Reply } from '../http/reply';
import type { EmulatorUser } from '../org/users';
import { approvalPage, chooserPage, loginPage, messagePage } from '../pages/pages';
import type { Provider } from '../provider';
import type { Browser, Transaction } from '../state/browsers';
import { callbackWithError } from './callback';
import { browserOf, continueAuthorization, withBrowser } from './steps';

/** Pages run no script and load nothing. Forms may lead to the app, so there is no `form-action`. */
const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

type Step = (transaction: Transaction, browser: Browser) => Reply;

/** Shows the login form. */
export function showLogin(provider: Provider, exchange: Exchange): Reply {
  return withTransaction(provider, exchange, exchange.query, (transaction) => {
    const browser = browserOf(provider, exchange) ?? provider.browsers.create();
    // Salesforce ignores the hint if a user is logged in.
    const username = browser.user ? '' : (transaction.loginHint ?? '');
    return withBrowser(
      provider,
      browser,
      secure(loginPage(transaction, browser, usersAt(provider, transaction), { username })),
    );
  });
}

/** Logs in the user of username and password, or the user of a one-click button. */
export function submitLogin(provider: Provider, exchange: Exchange): Reply {
  return fromForm(provider, exchange, (transaction, browser) => {
    const username = exchange.form.get('username') ?? '';
    const chosen = exchange.form.get('user');
    const user = usersAt(provider, transaction).find(({ userId, active, ...candidate }) => {
      const isMatch =
        chosen === null
          ? candidate.username === username && candidate.password === exchange.form.get('pw')
          : userId === chosen;
      return isMatch && active;
    });
    if (!user) {
      const error = 'Please check your username and password. If you still can’t log in, contact your administrator.';
      return secure(loginPage(transaction, browser, usersAt(provider, transaction), { username, error }));
    }
    provider.browsers.logIn(browser, user);
    transaction.loggedIn = true;
    transaction.chosen = true;
    return withBrowser(provider, browser, continueAs(provider, exchange, transaction, browser));
  });
}

/** Shows the approval form. */
export function showApproval(provider: Provider, exchange: Exchange): Reply {
  const { finished, browser } = finishedIn(provider, exchange, exchange.query);
  // The user went back to the page after the answer.
  if (finished && browser?.user) return secure(approvalPage(finished.transaction, browser, browser.user));
  return withTransaction(provider, exchange, exchange.query, (transaction) => {
    const browser = browserOf(provider, exchange);
    return browser?.user
      ? secure(approvalPage(transaction, browser, browser.user))
      : continueAuthorization(provider, exchange, transaction);
  });
}

/** Continues or ends the login, depending on the decision. */
export function submitApproval(provider: Provider, exchange: Exchange): Reply {
  const { finished, browser } = finishedIn(provider, exchange, exchange.form);
  if (finished && browser?.csrfToken === exchange.form.get('csrf')) return finished.answer;
  return fromForm(provider, exchange, (transaction, browser) => {
    const { user } = browser;
    // Another user may have logged in from another tab since the page was shown.
    if (!user || user.userId !== exchange.form.get('user')) {
      return continueAuthorization(provider, exchange, transaction);
    }
    if (exchange.form.get('decision') !== 'allow') {
      const { redirectURI, state } = transaction;
      const answer = callbackWithError(redirectURI, state, 'access_denied', 'end-user denied authorization');
      provider.browsers.finish(transaction, answer);
      return answer;
    }
    transaction.approvedBy = user;
    return continueAuthorization(provider, exchange, transaction);
  });
}

/** The transaction of a page that was already answered, and the browser. */
function finishedIn(provider: Provider, exchange: Exchange, params: URLSearchParams) {
  return { finished: provider.browsers.finished(params.get('source')), browser: browserOf(provider, exchange) };
}

/** Shows the account chooser. */
export function showChooser(provider: Provider, exchange: Exchange): Reply {
  return withTransaction(provider, exchange, exchange.query, (transaction) => {
    const browser = browserOf(provider, exchange);
    return browser ? secure(chooserPage(transaction, browser)) : continueAuthorization(provider, exchange, transaction);
  });
}

/** Continues with the chosen account if that user is logged in. Otherwise shows the login form. */
export function submitChooser(provider: Provider, exchange: Exchange): Reply {
  return fromForm(provider, exchange, (transaction, browser) => {
    const username = exchange.form.get('username') ?? '';
    transaction.chosen = true;
    if (browser.user?.username === username) return continueAuthorization(provider, exchange, transaction);
    return secure(loginPage(transaction, browser, usersAt(provider, transaction), { username }));
  });
}

/** The users who can log in: at a site the users of its organization, elsewhere all users. */
function usersAt(provider: Provider, { site }: Transaction): EmulatorUser[] {
  const organizationId = provider.organizationOfSite(site);
  return provider.users.filter((user) => organizationId === undefined || user.organizationId === organizationId);
}

/** Continues as if the browser had already received the new cookie of this reply. */
function continueAs(provider: Provider, exchange: Exchange, transaction: Transaction, browser: Browser): Reply {
  const cookie = String(withBrowser(provider, browser, { status: 200, headers: {} }).headers['set-cookie']);
  const header = (name: string): string | undefined =>
    name === 'cookie' ? cookie.split(';')[0] : exchange.header(name);
  return continueAuthorization(provider, { ...exchange, header }, transaction);
}

function fromForm(provider: Provider, exchange: Exchange, step: Step): Reply {
  return withTransaction(provider, exchange, exchange.form, (transaction) => {
    const browser = browserOf(provider, exchange);
    if (browser && exchange.form.get('csrf') === browser.csrfToken) return step(transaction, browser);
    return secure(
      messagePage('This page is too old', 'Start again from the app. Your browser must allow cookies.'),
      403,
    );
  });
}

function withTransaction(
  provider: Provider,
  _exchange: Exchange,
  params: URLSearchParams,
  step: (transaction: Transaction) => Reply,
): Reply {
  const transaction = provider.browsers.transaction(params.get('source'));
  return transaction
    ? step(transaction)
    : secure(messagePage('This login has ended', 'Start again from the app.'), 400);
}

function secure(html: string, status = 200): Reply {
  return { ...htmlReply(html, status), headers: securityHeaders };
}
