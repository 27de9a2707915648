// @ts-check
import { html } from './html.mjs';
import { duration, layout } from './layout.mjs';
import { livePanel } from './timeline.mjs';

/**
 * @typedef {object} Trial what came of asking Salesforce for accounts
 * @property {boolean} isGood
 * @property {string} message
 * @property {string | undefined} code
 * @property {number} durationMs
 */

/**
 * @param {import('./layout.mjs').Frame} frame
 * @param {object} data
 * @param {unknown} data.timeline
 * @param {boolean} data.isRotating
 * @param {readonly string[]} data.active what is broken now
 * @param {Readonly<Record<string, { name: string, effect: string }>>} data.kinds what can be broken
 * @param {Trial} [data.trial]
 */
export function faultsPage(frame, { timeline, isRotating, active, kinds, trial }) {
  return layout(frame, {
    title: 'Faults',
    lead: 'Break Salesforce, then ask it for your accounts, and see what your users would see.',
    content: html`<div class="columns">
      <div class="stack">
        <section class="card" aria-labelledby="try">
          <div class="heading">
            <h2 id="try">Ask Salesforce</h2>
            <a class="button" href="/faults/try">Load the accounts</a>
          </div>
          ${trial ? outcome(trial) : html`<p class="empty">Break something below, then load the accounts.</p>`}
        </section>
        <section class="card" aria-labelledby="break">
          <h2 id="break">Break Salesforce</h2>
          ${
            active.length > 0 &&
            html`<div class="problem">
              <p>Broken now: ${active.join('; ')}.</p>
              <form method="post" action="/faults/mend"><button class="secondary">Mend everything</button></form>
            </div>`
          }
          <form method="post" action="/faults/break" class="settings">
            <fieldset>
              <legend>What</legend>
              <label class="check"
                ><input type="radio" name="on" value="refresh" checked /> The next refresh. Your token expires with
                it.</label
              >
              <label class="check"><input type="radio" name="on" value="data" /> The next call of the API</label>
            </fieldset>
            <fieldset class="two">
              <legend>How</legend>
              ${Object.entries(kinds).map(
                ([kind, { name, effect }], index) =>
                  html`<label class="check"
                    ><input type="radio" name="kind" value="${kind}" ${index === 0 && html` checked`} />
                    <span>${name} <span class="hint">${effect}</span></span></label
                  >`,
              )}
            </fieldset>
            <label class="check"
              ><input type="checkbox" name="isLasting" value="yes" /> Again and again, until mended</label
            >
            <p class="actions"><button>Break it</button></p>
          </form>
        </section>
        <section class="card" aria-labelledby="tokens">
          <h2 id="tokens">Your tokens</h2>
          <div class="rows">
            ${action('expire', 'Expire', 'The access token ends, as after a session timeout. The next call renews it.')}
            ${action('revoke', 'Revoke', 'An administrator takes all tokens away. Only a new login helps.')}
            ${action('rotate', isRotating ? 'Turn rotation off' : 'Turn rotation on', isRotating ? 'Rotation is on: each refresh token is good for one use.' : 'Rotation is off: the refresh token stays the same.')}
          </div>
        </section>
      </div>
      <section class="card" aria-labelledby="live-title">
        <h2 id="live-title">Access token</h2>
        ${livePanel(timeline)}
      </section>
    </div>`,
  });
}

/** @param {Trial} trial */
function outcome({ isGood, message, code, durationMs }) {
  return html`<div class="${isGood ? 'fine' : 'problem'}" role="status">
    <p>${message}</p>
    <p class="hint">After ${duration(durationMs)}.${code !== undefined && html` Code: <code>${code}</code>`}</p>
  </div>`;
}

/**
 * @param {string} path
 * @param {string} name
 * @param {string} effect
 */
function action(path, name, effect) {
  return html`<form method="post" action="/faults/${path}">
    <button class="secondary">${name}</button><span class="hint">${effect}</span>
  </form>`;
}
