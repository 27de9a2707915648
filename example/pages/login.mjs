// @ts-check
import { html } from './html.mjs';
import { layout } from './layout.mjs';

/**
 * The start page for a user who is not logged in.
 *
 * @param {import('./layout.mjs').Frame} frame
 * @param {object} data
 * @param {string} data.baseUrl host of the login button
 * @param {Readonly<Record<string, string>>} data.organizations further hosts for a login, by name
 * @param {readonly { username: string, password: string }[]} data.users made-up users who can log in at the emulator
 * @param {{ org: string, message: string }} [data.wrong] an invalid My Domain, as the user entered it
 */
export function loginPage(frame, { baseUrl, organizations, users, wrong }) {
  return layout(frame, {
    title: 'Log in with Salesforce',
    lead: 'After the login you see your user, your organization’s limits and accounts, and the state of your access token.',
    content: html`<div class="columns">
      <section class="card" aria-labelledby="here">
        <h2 id="here">Your organization</h2>
        <p>You enter your password at Salesforce, not here.</p>
        <p><a class="button wide" href="/auth/salesforce">Log in with Salesforce</a></p>
        <p class="hint">at <code>${baseUrl}</code></p>
        ${users.length > 0 && userList(users)}
      </section>
      <section class="card" aria-labelledby="elsewhere">
        <h2 id="elsewhere">Another organization</h2>
        <ul class="choices">
          ${Object.entries(organizations).map(
            ([name, url]) =>
              html`<li>
                <a class="choice" href="/auth/salesforce?org=${encodeURIComponent(name)}">
                  <strong>${labels[name] ?? name}</strong>
                  <span class="hint">${url.replace(/^https:\/\//, '')}</span></a
                >
              </li>`,
          )}
        </ul>
        ${myDomainForm(wrong, frame.isOffline ? (organizations.sandbox ?? '') : 'acme.my.salesforce.com')}
      </section>
    </div>`,
  });
}

/** @type {Readonly<Record<string, string>>} */
const labels = { production: 'Production', sandbox: 'Sandbox' };

/**
 * @param {{ org: string, message: string } | undefined} wrong
 * @param {string} sample
 */
function myDomainForm(wrong, sample) {
  const errorAttributes = wrong ? html` aria-invalid="true" autofocus` : '';
  return html`<form action="/auth/salesforce" class="field">
    <label for="org">My Domain</label>
    ${wrong && html`<p class="error" id="org-error">${wrong.message}</p>`}
    <div class="joined">
      <input
        id="org"
        name="org"
        required
        maxlength="255"
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        aria-describedby="${wrong && 'org-error '}org-hint"
        value="${wrong?.org}"
        ${errorAttributes}
      /><button class="secondary">Log in</button>
    </div>
    <p class="hint" id="org-hint">Example: <code>${sample}</code></p>
  </form>`;
}

/** @param {readonly { username: string, password: string }[]} users */
function userList(users) {
  return html`<h3>Users of the emulator</h3>
    <p class="hint">The emulator’s login page also logs a user in with one click.</p>
    <ul class="people">
      ${users.map(
        ({ username, password }) =>
          html`<li><code>${username}</code> <span class="hint">password</span> <code>${password}</code></li>`,
      )}
    </ul>`;
}
