// @ts-check
import { accountTable } from './accounts.mjs';
import { html } from './html.mjs';
import { layout, nameOf } from './layout.mjs';
import { livePanel } from './timeline.mjs';

/**
 * What Salesforce answered, or why there is no answer.
 *
 * @template T
 * @typedef {{ value: T } | { problem: string }} Answer
 */

/** @typedef {{ Max: number, Remaining: number }} Limit */

/**
 * @param {import('./layout.mjs').Frame & { user: import('express-salesforce-auth').SalesforceUser }} frame
 * @param {object} data
 * @param {string | undefined} data.instanceUrl
 * @param {unknown} data.timeline
 * @param {Answer<import('./accounts.mjs').Account[]>} data.accounts
 * @param {Answer<Record<string, Limit>>} data.limits
 */
export function dashboardPage(frame, { instanceUrl, timeline, accounts, limits }) {
  const { user } = frame;
  return layout(frame, {
    title: `Hello, ${nameOf(user)}`,
    lead: instanceUrl && html`You are logged in at <code>${instanceUrl.replace(/^https?:\/\//, '')}</code>.`,
    content: html`<div class="columns wide-first">
        <section class="card" aria-labelledby="token">
          <div class="heading">
            <h2 id="token">Access token</h2>
            <form method="post" action="/expire"><button class="secondary">Expire the token</button></form>
          </div>
          ${livePanel(timeline)}
        </section>
        <div class="stack">
          <section class="card" aria-labelledby="you">
            <h2 id="you">You</h2>
            <dl>
              <dt>Username</dt>
              <dd>${user.username ?? 'unknown'}</dd>
              <dt>Email</dt>
              <dd>${user.email ?? 'unknown'}</dd>
              <dt>Organization</dt>
              <dd><code>${user.organizationId}</code></dd>
              <dt>User</dt>
              <dd><code>${user.userId}</code></dd>
            </dl>
            <form method="post" action="/open-in-salesforce">
              <button class="secondary">Open in Salesforce</button>
            </form>
            <p class="hint below">Opens Salesforce in this browser without another login.</p>
            <form method="post" action="/logout-everywhere"><button class="secondary">Log out everywhere</button></form>
            <p class="hint below">Ends your sessions in all browsers and revokes your tokens.</p>
          </section>
          <section class="card" aria-labelledby="limits">
            <h2 id="limits">Limits of your organization</h2>
            ${'problem' in limits ? problem(limits.problem) : limitList(limits.value)}
          </section>
        </div>
      </div>
      <section class="card" aria-labelledby="accounts">
        <div class="heading">
          <h2 id="accounts">Accounts</h2>
          <a href="/accounts">See all accounts</a>
        </div>
        ${'problem' in accounts ? problem(accounts.problem) : accountTable(accounts.value)}
      </section>`,
  });
}

/** @param {string} message */
function problem(message) {
  return html`<div class="problem">
    <p>${message}</p>
    <p><a href="/">Try again</a></p>
  </div>`;
}

/** @param {Record<string, Limit>} limits */
function limitList(limits) {
  const shown = Object.entries(limits).filter(([name]) => limitNames[name] !== undefined);
  if (shown.length === 0) return html`<p class="empty">There are no limits that you may see.</p>`;
  return html`<ul class="limits">
    ${shown.map(([name, { Max, Remaining }]) => {
      const used = Max > 0 ? Math.min(1, (Max - Remaining) / Max) : 0;
      return html`<li>
        <span>${limitNames[name]}</span> <span class="hint">${count(Remaining)} of ${count(Max)} left</span>
        <svg aria-hidden="true">
          <rect class="track" width="100%" height="6" rx="3"></rect>
          <rect class="${used > 0.9 ? 'spent' : 'fresh'}" width="${(used * 100).toFixed(2)}%" height="6" rx="3"></rect>
        </svg>
      </li>`;
    })}
  </ul>`;
}

/** @type {Readonly<Record<string, string>>} */
const limitNames = {
  DailyApiRequests: 'API requests a day',
  DataStorageMB: 'Data storage, MB',
  FileStorageMB: 'File storage, MB',
};

/** @param {number} number */
function count(number) {
  return number.toLocaleString('en');
}
