// @ts-check
import { html } from './html.mjs';

/**
 * The data of the frame around every page.
 *
 * @typedef {object} Frame
 * @property {import('express-salesforce-auth').SalesforceUser} [user] the user who is logged in
 * @property {boolean} isOffline whether the emulator takes the place of Salesforce
 * @property {boolean} hasFaults whether this process can add faults to the emulator
 * @property {string} [servedBy] the process that made the page, if there are several
 * @property {boolean} hasSetup whether this user may open the setup page
 * @property {string} path of this page
 * @property {string} [notice] what the last form has done
 */

/**
 * @param {Frame} frame
 * @param {{ title: string, lead?: unknown, content: unknown }} page
 */
export function layout(frame, { title, lead, content }) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Salesforce example</title>
        <link rel="icon" href="/icon.svg" />
        <link rel="stylesheet" href="/style.css" />
        <script src="/page.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <div class="bar">
            <a class="brand" href="/">${mark}Salesforce example</a>
            ${navigation(frame)} ${frame.user && userMenu(frame.user)}
          </div>
          ${frame.isOffline && offlineNote}
        </header>
        <main id="content" tabindex="-1">
          <div class="title">
            <h1>${title}</h1>
            ${lead && html`<p class="lead">${lead}</p>`}
          </div>
          ${frame.notice && html`<p class="notice" role="status">${frame.notice}</p>`} ${content}
        </main>
        <footer>
          <p>
            An example of <a href="https://www.npmjs.com/package/express-salesforce-auth">express-salesforce-auth</a>.
            Not affiliated with Salesforce.${frame.servedBy && html` This page came from ${frame.servedBy}.`}
          </p>
        </footer>
      </body>
    </html>`.toString();
}

const mark = html`<svg viewBox="0 0 32 32" aria-hidden="true">
  <rect width="32" height="32" rx="8"></rect>
  <path
    d="M16 7a6 6 0 0 0-2 11.66V25l2 2 2.5-2.5L17 23l1.5-1.5L17 20v-1.1A6 6 0 0 0 16 7zm0 3.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z"
  ></path>
</svg>`;

const offlineNote = html`<p class="offline">
  <strong>Offline.</strong> An emulator with made-up data takes the place of Salesforce.
</p>`;

/** @param {Frame} frame */
function navigation({ user, hasFaults, hasSetup, path }) {
  const links = [
    { href: '/', name: user ? 'Dashboard' : 'Log in', isShown: true },
    { href: '/accounts', name: 'Accounts', isShown: user !== undefined },
    { href: '/faults', name: 'Faults', isShown: user !== undefined && hasFaults },
    { href: '/setup', name: 'Setup', isShown: hasSetup },
  ];
  return html`<nav aria-label="Main">
    <ul>
      ${links
        .filter(({ isShown }) => isShown)
        .map(({ href, name }) => {
          const current = href === path ? html` aria-current="page"` : '';
          return html`<li><a href="${href}" ${current}>${name}</a></li>`;
        })}
    </ul>
  </nav>`;
}

/** @param {import('express-salesforce-auth').SalesforceUser} user */
function userMenu(user) {
  return html`<div class="user">
    <span class="name" title="${user.username}">${nameOf(user)}</span>
    <form method="post" action="/auth/salesforce/logout"><button class="quiet">Log out</button></form>
  </div>`;
}

/** @param {import('express-salesforce-auth').SalesforceUser} user */
export function nameOf({ displayName, username, userId }) {
  return displayName ?? username ?? userId;
}

/**
 * Formats a time.
 *
 * @param {number} at milliseconds since the epoch
 */
export function time(at) {
  const text = new Date(at).toISOString();
  return html`<time datetime="${text}">${text.slice(11, 19)}</time>`;
}

/**
 * Formats a duration.
 *
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
