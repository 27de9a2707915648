// @ts-check
import { html } from './html.mjs';
import { layout } from './layout.mjs';

/**
 * @typedef {object} SetupForm the values of the form; after a mistake, the entered values
 * @property {string} clientID
 * @property {string} prompt
 * @property {string} baseUrl
 * @property {boolean} isPublic
 *
 * @typedef {{ field: string, message: string }} WrongField
 */

/**
 * @param {import('./layout.mjs').Frame} frame
 * @param {object} data
 * @param {SetupForm} data.form
 * @param {boolean} data.hasSecret whether a secret is set; the secret itself is never shown again
 * @param {string} data.callbackURL
 * @param {boolean} data.isChanged whether the settings differ from the settings at the start
 * @param {boolean} data.isFixed whether a change needs a restart
 * @param {WrongField} [data.wrong]
 * @param {import('express-salesforce-auth').Diagnosis} [data.diagnosis] findings of the doctor, after a check
 */
export function setupPage(frame, { form, hasSecret, callbackURL, isChanged, isFixed, wrong, diagnosis }) {
  return layout(frame, {
    title: 'Setup',
    lead: 'Steps from an app in Salesforce to the first login. This page opens only on this machine, and not in production.',
    content: html`<ol class="steps">
      <li class="card">
        <h2>Create an app in Salesforce, or use one that you have</h2>
        <p>
          You need to be a System Administrator. No organization yet? A
          <a href="https://developer.salesforce.com/signup">Developer Edition</a> is free.
        </p>
        <h3>A new app</h3>
        <ol class="plain">
          <li>
            In Salesforce’s Setup, open <b>Apps › External Client Apps › External Client App Manager</b>, and click
            <b>New External Client App</b>.
          </li>
          <li>
            Under <b>Basic Information</b>, enter a name and an email address. Leave <b>Distribution State</b> at
            <b>Local</b> for your own organization.
          </li>
          <li>Under <b>API (Enable OAuth Settings)</b>, tick <b>Enable OAuth</b>.</li>
          <li>
            Choose the <b>OAuth Scopes</b> <code>openid</code>, <code>id</code>, <code>api</code>, <code>web</code> and
            <code>refresh_token</code>. Without <code>refresh_token</code>, a login ends with its first access token.
          </li>
        </ol>
        <h3>An existing app</h3>
        <ol class="plain">
          <li>
            In Setup, open <b>Apps › App Manager</b>. The menu at the end of the app’s row has <b>View</b>,
            <b>Edit</b> and <b>Manage</b>.
          </li>
          <li>
            Choose <b>Edit</b>, tick <b>Enable OAuth Settings</b>, and move the same scopes to
            <b>Selected OAuth Scopes</b>.
          </li>
          <li>
            Choose <b>Manage › Edit Policies</b>, and set <b>Refresh Token Policy</b> to <i>Valid until revoked</i>.
          </li>
        </ol>
      </li>

      <li class="card">
        <h2>Enter the callback URL</h2>
        <p>
          Enter this URL in <b>Callback URL</b>, one URL per line. Salesforce compares the URLs character by character.
        </p>
        <p class="copy">
          <code id="callback">${callbackURL}</code>
          <button type="button" class="secondary" data-copy="callback" aria-live="polite" hidden>Copy</button>
        </p>
      </li>

      <li class="card">
        <h2>Tick the boxes</h2>
        <ul class="boxes">
          ${boxes.map(
            ([name, advice, reason]) =>
              html`<li>
                <span class="tick ${advice}" aria-hidden="true"></span>
                <div>
                  <b>${name}</b> <span class="hint">${advice === 'on' ? 'Tick this box.' : 'Your decision.'}</span>
                  <p>${reason}</p>
                </div>
              </li>`,
          )}
        </ul>
      </li>

      <li class="card" id="settings">
        <h2>Enter the key and secret here</h2>
        <p>
          For a new app, click <b>Create</b> in Salesforce, then open
          <b>Settings › OAuth Settings › Consumer Key and Secret</b>. For an existing app, open
          <b>View › Manage Consumer Details</b>. Salesforce asks you to verify your identity.
        </p>
        ${isFixed ? html`<p class="notice">This application runs in several processes. Set <code>SALESFORCE_*</code> in the environment, and restart the application.</p>` : settingsForm(form, hasSecret, wrong)}
        ${isChanged && resetForm}
      </li>

      <li class="card" id="check">
        <h2>Check the settings and log in</h2>
        <p>The doctor checks at Salesforce what can be checked without a login. It never sends a token.</p>
        <form method="post" action="/setup/check#check">
          <p class="actions"><button class="secondary">Check these settings</button></p>
        </form>
        ${diagnosis && findings(diagnosis)}
        <p>
          Users report that a new app can take ten minutes to work. To choose who may log in, open
          <b>Policies › Edit › Permitted Users</b>; for an existing app, open <b>Manage › Edit Policies</b>.
        </p>
        <p class="actions"><a class="button" href="/auth/salesforce">Log in with Salesforce</a></p>
      </li>
    </ol>`,
  });
}

/** Words for the levels, worst first. Not all users can distinguish colors. */
const levels = /** @type {const} */ ([
  ['error', 'Wrong'],
  ['warning', 'Can fail later'],
  ['unknown', 'Cannot be checked'],
  ['ok', 'Good'],
]);

/** @param {import('express-salesforce-auth').Diagnosis} diagnosis */
function findings({ ok, findings: found }) {
  const sorted = levels.flatMap(([level, word]) =>
    found.filter((finding) => finding.level === level).map((finding) => ({ ...finding, word })),
  );
  return html`<div role="status" id="diagnosis">
    <p><b>${ok ? 'The check found no problem.' : 'A login will not work yet.'}</b></p>
    <ul class="findings">
      ${sorted.map(
        ({ level, word, message, fix, baseUrl }) =>
          html`<li class="is-${level}">
            <b>${word}.</b>
            ${message}${baseUrl !== undefined && html` <span class="hint">${baseUrl}</span>`}${fix !== undefined && html`<p class="hint">${fix}</p>`}
          </li>`,
      )}
    </ul>
  </div>`;
}

/** @type {readonly (readonly [name: string, advice: 'on' | 'free', reason: string])[]} */
const boxes = [
  [
    'Require Secret for Web Server Flow',
    'on',
    'A stolen login code is then useless without the Consumer Secret. Leave the box empty only for an app without a secret.',
  ],
  [
    'Require Secret for Refresh Token Flow',
    'on',
    'A stolen refresh token is then useless without the Consumer Secret. Leave the box empty only for an app without a secret.',
  ],
  [
    'Enable Authorization Code and Credentials Flow',
    'free',
    'For your own login forms on Experience Cloud sites. This example does not need it, and it does no harm.',
  ],
  [
    'Require Proof Key for Code Exchange (PKCE)',
    'on',
    'Only the browser that began a login can complete it. This package always sends PKCE. Users report that this box is ticked and grayed out in a new app: that is fine.',
  ],
  [
    'Enable Refresh Token Rotation',
    'free',
    'Each refresh token works once, so that Salesforce notices a stolen copy. If an answer is lost, the user may have to log in again. Users report that this box is ticked and grayed out in a new app: that is fine.',
  ],
];

const prompts = [
  ['login', 'login: always ask for the password'],
  ['consent', 'consent: always ask for approval'],
  ['select_account', 'select_account: choose a known account'],
  ['login consent', 'login consent: ask for both'],
];

/**
 * @param {SetupForm} form
 * @param {boolean} hasSecret
 * @param {WrongField | undefined} wrong
 */
function settingsForm(form, hasSecret, wrong) {
  const problem = (/** @type {string} */ name) =>
    wrong?.field === name ? html`<p class="error" id="${name}-error">${wrong.message}</p>` : '';
  const aria = (/** @type {string} */ name, hint = '') => {
    const ids = [wrong?.field === name ? `${name}-error` : '', hint].filter(Boolean).join(' ');
    return html`${ids && html` aria-describedby="${ids}"`}${wrong?.field === name && html` aria-invalid="true" autofocus`}`;
  };
  const plain = html` autocomplete="off" autocapitalize="none" spellcheck="false"`;
  return html`<form method="post" action="/setup" class="settings">
    <div class="field">
      <label for="clientID">Consumer Key</label>${problem('clientID')}
      <input id="clientID" name="clientID" required${plain} value="${form.clientID}" ${aria('clientID')} />
    </div>
    <div class="field">
      <label for="clientSecret">Consumer Secret ${hasSecret && html`<span class="badge good">set</span>`}</label
      >${problem('clientSecret')}
      <input
        id="clientSecret"
        name="clientSecret"
        type="password"
        autocomplete="new-password"
        ${aria('clientSecret', 'secret-hint')}
      />
      <p class="hint" id="secret-hint">
        ${hasSecret ? 'Leave this field empty to keep the current secret. The secret is never shown again.' : 'The secret is never shown again.'}
      </p>
      <label class="check"
        ><input type="checkbox" name="isPublic" value="yes" ${form.isPublic && html` checked`} /> This app has no
        secret</label
      >
    </div>
    <div class="field">
      <label for="prompt">Prompt type</label>${problem('prompt')}
      <select id="prompt" name="prompt" ${aria('prompt')}>
        ${prompts.map(
          ([value, label]) =>
            html`<option value="${value}" ${form.prompt === value && html` selected`}>${label}</option>`,
        )}
      </select>
    </div>
    <div class="field">
      <label for="baseUrl">Base URL</label>${problem('baseUrl')}
      <input
        id="baseUrl"
        name="baseUrl"
        type="url"
        required${plain}
        value="${form.baseUrl}"
        ${aria('baseUrl', 'url-hint')}
      />
      <p class="hint" id="url-hint">
        <code>https://login.salesforce.com</code>, <code>https://test.salesforce.com</code> for a sandbox, or your My
        Domain
      </p>
    </div>
    <p class="actions">
      <button>Save</button> <span class="hint">The next login uses these settings. No restart is needed.</span>
    </p>
  </form>`;
}

const resetForm = html`<form method="post" action="/setup/reset">
  <p class="actions"><button class="secondary">Restore the settings of the start</button></p>
</form>`;
