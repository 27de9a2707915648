import type { EmulatorUser } from '../org/users';
import type { Browser, Transaction } from '../state/browsers';
import { escapeHtml, hiddenFields, page } from './html';

/** Paths of the pages, after the path of the site. */
export const pagePaths = {
  login: '/login',
  approval: '/setup/secur/RemoteAccessAuthorizationPage.apexp',
  chooser: '/secur/chooser',
} as const;

/** The login form, and a button for each user that logs the user in with one click. */
export function loginPage(
  { site, source, display }: Transaction,
  browser: Browser,
  users: readonly EmulatorUser[],
  { username, error }: { username: string; error?: string },
): string {
  return page(
    'Log in',
    `${error === undefined ? '' : `<p role="alert">${escapeHtml(error)}</p>`}
<form method="post" action="${escapeHtml(site + pagePaths.login)}" id="login">${hiddenFields({ source, csrf: browser.csrfToken })}
<label for="username">Username</label>
<input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required value="${escapeHtml(username)}">
<label for="password">Password</label>
<input id="password" name="pw" type="password" autocomplete="current-password" required>
<button>Log In</button></form>
<aside>This is an emulator with made-up users. Log in with one click, or enter a username and password from the list.
${users
  .filter(({ active }) => active)
  .map(oneClickButton)
  .join('')}${userList(users)}</aside>`,
    display,
  );
}

function oneClickButton({ userId, displayName, username }: EmulatorUser): string {
  const text = `Continue as ${displayName} (${username})`;
  return `<button form="login" name="user" value="${escapeHtml(userId)}" formnovalidate class="quiet">${escapeHtml(text)}</button>`;
}

/** "Allow Access?" */
export function approvalPage(transaction: Transaction, browser: Browser, user: EmulatorUser): string {
  const { site, source, scopes, client, display } = transaction;
  const items = scopes.map((scope) => `<li><code>${escapeHtml(scope)}</code></li>`);
  return page(
    'Allow access?',
    `<p>The app <code>${escapeHtml(client.clientID)}</code> is asking for:</p><ul>${items.join('')}</ul>
<p>You are logged in as <strong>${escapeHtml(user.username)}</strong>.</p>
<form method="post" action="${escapeHtml(site + pagePaths.approval)}">
${hiddenFields({ source, csrf: browser.csrfToken, user: user.userId })}
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny" class="quiet">Deny</button></form>`,
    display,
  );
}

/** "Choose a username", for `prompt=select_account` in a browser with several remembered usernames. */
export function chooserPage({ site, source, display }: Transaction, browser: Browser): string {
  const buttons = browser.remembered.map(
    (username) =>
      `<button name="username" value="${escapeHtml(username)}" class="quiet">${escapeHtml(username)}</button>`,
  );
  return page(
    'Choose a username',
    `<form method="post" action="${escapeHtml(site + pagePaths.chooser)}">
${hiddenFields({ source, csrf: browser.csrfToken })}${buttons.join('')}
<button name="username" value="">Log In with a Different Username</button></form>`,
    display,
  );
}

/**
 * An error that is not redirected, because the client or redirect URI is not trusted. Unlike Salesforce's page, this page
 * shows the callback URLs, so that the difference is visible.
 */
export function errorPage(error: string, description: string, callbacks?: CallbackURLs): string {
  // Clients search the page for this exact format.
  const text = `error=${error}&error_description=${encodeURIComponent(description)}`;
  return page(
    'We can’t authorize you',
    `<p role="alert">${escapeHtml(text)}</p>${callbacks ? compare(callbacks) : ''}`,
  );
}

/** Callback URLs to compare. */
interface CallbackURLs {
  readonly sent: readonly string[];
  readonly registered: readonly string[];
}

function compare({ sent, registered }: CallbackURLs): string {
  const list = (urls: readonly string[]): string =>
    urls.length === 0
      ? '<p>None.</p>'
      : `<ul>${urls.map((url) => `<li><code>${escapeHtml(url)}</code></li>`).join('')}</ul>`;
  return `<h2>The app sent</h2>${list(sent)}<h2>Callback URLs of this client</h2>${list(registered)}
<p>Both must be equal, character by character.</p>`;
}

/** The page at the root of the emulator. */
export function homePage(users: readonly EmulatorUser[], hasConsole: boolean): string {
  return page(
    'An offline Salesforce',
    `<p>Set the base URL of your app to this address, and log in from the app. These are the users:</p>${userList(users)}
${hasConsole ? '<p>The <a href="/console">console</a> shows live requests.</p>' : ''}`,
  );
}

function userList(users: readonly EmulatorUser[]): string {
  const items = users.map(
    ({ username, password }) =>
      `<li><code>${escapeHtml(username)}</code> with password <code>${escapeHtml(password)}</code></li>`,
  );
  return `<ul class="users">${items.join('')}</ul>`;
}

/** A page with a message, for instance after a logout. */
export function messagePage(title: string, message: string): string {
  return page(title, `<p>${escapeHtml(message)}</p>`);
}
