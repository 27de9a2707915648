// @ts-check
import { html } from './html.mjs';
import { duration, layout } from './layout.mjs';
import { livePanel } from './timeline.mjs';

/**
 * @typedef {object} Trial the result of a request for accounts
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
 * @param {readonly string[]} data.active faults that are active now
 * @param {Readonly<Record<string, { name: string, effect: string }>>} data.kinds faults to choose from
 * @param {Trial} [data.trial]
 */
export function faultsPage(frame, { timeline, isRotating, active, kinds, trial }) {
  return layout(frame, {
    title: 'Faults',
    lead: 'Add a fault, load the accounts, and see what your users would see.',
    content: html`<div class="columns">
      <div class="stack">
        <section class="card" aria-labelledby="try">
          <div class="heading">
            <h2 id="try">Ask Salesforce</h2>
            <a class="button" href="/faults/try">Load the accounts</a>
          </div>
          ${trial ? outcome(trial) : html`<p class="empty">Add a fault below, then load the accounts.</p>`}
        </section>
        <section class="card" aria-labelledby="add">
          <h2 id="add">Add a fault</h2>
          ${
            active.length > 0 &&
            html`<div class="problem">
              <p>Active: ${active.join('; ')}.</p>
              <form method="post" action="/faults/clear"><button class="secondary">Remove all faults</button></form>
            </div>`
          }
          <form method="post" action="/faults/add" class="settings">
            <fieldset>
              <legend>Request</legend>
              <label class="check"
                ><input type="radio" name="on" value="refresh" checked /> The next refresh. Your access token is ended
                too, so that a refresh is needed.</label
              >
              <label class="check"><input type="radio" name="on" value="data" /> The next API call</label>
            </fieldset>
            <fieldset class="two">
              <legend>Fault</legend>
              ${Object.entries(kinds).map(
                ([kind, { name, effect }], index) =>
                  html`<label class="check"
                    ><input type="radio" name="kind" value="${kind}" ${index === 0 && html` checked`} />
                    <span>${name} <span class="hint">${effect}</span></span></label
                  >`,
              )}
            </fieldset>
            <label class="check"><input type="checkbox" name="isRepeated" value="yes" /> Repeat until removed</label>
            <p class="actions"><button>Add this fault</button></p>
          </form>
        </section>
        <section class="card" aria-labelledby="tokens">
          <h2 id="tokens">Your tokens</h2>
          <div class="rows">
            ${action('expire', 'Expire', 'Ends the access token, as a session timeout does. The next call refreshes it.')}
            ${action('revoke', 'Revoke', 'Revokes all tokens, as an administrator can. Only a new login helps.')}
            ${action('rotate', isRotating ? 'Turn rotation off' : 'Turn rotation on', isRotating ? 'Rotation is on. Each refresh token works once.' : 'Rotation is off. The refresh token stays the same.')}
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
