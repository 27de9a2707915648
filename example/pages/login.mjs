// @ts-check
import { html } from './html.mjs';
import { layout } from './layout.mjs';

/**
 * The start page of somebody who is not logged in.
 *
 * @param {import('./layout.mjs').Frame} frame
 * @param {object} data
 * @param {string} data.baseUrl where the button leads
 * @param {Readonly<Record<string, string>>} data.organizations further places to log in at, by name
 * @param {readonly { username: string, password: string }[]} data.people who can log in, where all of them are made up
 * @param {{ org: string, message: string }} [data.wrong] a My Domain that is none, as it was typed
 */
export function loginPage(frame, { baseUrl, organizations, people, wrong }) {
  return layout(frame, {
    title: 'Log in with Salesforce',
    lead: 'See who you are, the limits and accounts of your organization, and the life of your access token.',
    content: html`<div class="columns">
      <section class="card" aria-labelledby="here">
        <h2 id="here">Your organization</h2>
        <p>You type your password at Salesforce, never here.</p>
        <p><a class="button wide" href="/auth/salesforce">Log in with Salesforce</a></p>
        <p class="hint">at <code>${baseUrl}</code></p>
        ${people.length > 0 && peopleToBe(people)}
      </section>
      <section class="card" aria-labelledby="elsewhere">
        <h2 id="elsewhere">Somewhere else</h2>
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
    <p class="hint" id="org-hint">For instance <code>${sample}</code></p>
  </form>`;
}

/** @param {readonly { username: string, password: string }[]} people */
function peopleToBe(people) {
  return html`<h3>Log in as one of</h3>
    <ul class="people">
      ${people.map(
        ({ username, password }) =>
          html`<li><code>${username}</code> <span class="hint">password</span> <code>${password}</code></li>`,
      )}
    </ul>`;
}
