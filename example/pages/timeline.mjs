// @ts-check
import { html } from './html.mjs';
import { duration, time } from './layout.mjs';

/**
 * The panel that shows the life of an access token, without the token itself.
 *
 * @typedef {import('../history.mjs').Life} Life
 * @typedef {import('../history.mjs').Attempt} Attempt
 */

/**
 * From this share of its life on, a token may be refreshed early, in the background. The exact point depends on the grant.
 */
const softFrom = 0.75;

/**
 * The part of the page that server-sent events replace. It has no element that can have the focus, because a replacement
 * would remove the focus.
 *
 * @param {Life} life
 * @param {{ sessionTimeoutSeconds: number, now: number }} at
 */
export function timeline(life, at) {
  return html`<p class="figures">
      <span
        ><strong id="refreshes">${life.refreshes}</strong> ${life.refreshes === 1 ? 'refresh' : 'refreshes'} since this
        process started</span
      >
      <span>${state(life)}</span>
    </p>
    ${life.issuedAt === undefined ? unseen : lifeBar(life.issuedAt, at)} ${servedLine(life.served)}
    <h3>Refreshes</h3>
    ${life.attempts.length === 0 ? html`<p class="empty">No refresh yet. Expire the token to see one.</p>` : [chart(life.attempts), table(life.attempts)]}`;
}

/**
 * A panel that a script updates. Without scripts, the panel shows the state at the time of the page.
 *
 * @param {unknown} content
 */
export function livePanel(content) {
  return html`<p class="hidden" role="status" id="live-news"></p>
    <div id="live" data-source="/live">${content}</div>
    <p class="hint" id="live-hint">Reload the page to see changes.</p>`;
}

/** @param {Life} life */
function state({ isRefreshing, attempts }) {
  if (isRefreshing) return html`<span class="badge busy">Refreshing …</span>`;
  const last = attempts.at(-1);
  if (last === undefined || last.outcome === 'refreshed') return html`<span class="badge good">Working</span>`;
  if (last.outcome === 'ended') return html`<span class="badge bad">Ended: a new login is needed</span>`;
  return html`<span class="badge warn"
    >${last.outcome === 'inDoubt' ? 'In doubt: an answer was lost' : 'Salesforce is not answering'}</span
  >`;
}

const unseen = html`<p class="empty">
  This process did not see when the token was issued. It will draw the life of the token after the next refresh.
</p>`;

/**
 * @param {number} issuedAt
 * @param {{ sessionTimeoutSeconds: number, now: number }} at
 */
function lifeBar(issuedAt, { sessionTimeoutSeconds, now }) {
  const lifeMs = sessionTimeoutSeconds * 1000;
  const age = Math.min(1, Math.max(0, (now - issuedAt) / lifeMs));
  const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(1)}%`;
  const anchor = age < 0.1 ? 'start' : age > 0.9 ? 'end' : 'middle';
  const marks = [
    ['Issued', issuedAt],
    ['May be refreshed early (soft stale)', issuedAt + lifeMs * softFrom],
    ['Requests wait for a refresh (hard stale)', issuedAt + lifeMs],
  ];
  return html`<figure>
    <svg
      class="life"
      role="img"
      aria-label="Life of the access token: ${percent(age)} has passed. The times are in the list below."
    >
      <rect class="fresh" x="0" y="22" width="${percent(softFrom)}" height="16"></rect>
      <rect class="soft" x="${percent(softFrom)}" y="22" width="${percent(1 - softFrom)}" height="16"></rect>
      <rect class="spent" x="0" y="22" width="${percent(age)}" height="16"></rect>
      <line class="now" x1="${percent(age)}" x2="${percent(age)}" y1="17" y2="43"></line>
      <text class="strong" x="${percent(age)}" y="12" text-anchor="${anchor}">now</text>
      <text x="0" y="58">issued</text>
      <text x="${percent(softFrom)}" y="58" text-anchor="end">soft stale</text>
      <text x="100%" y="58" text-anchor="end">hard stale</text>
    </svg>
    <figcaption>
      <ul class="legend">
        ${marks.map(([name, when]) => html`<li>${name} ${time(Number(when))}</li>`)}
        <li>Times are UTC</li>
      </ul>
    </figcaption>
  </figure>`;
}

/**
 * A column for each attempt. The height shows the duration, the color shows the outcome.
 *
 * @param {readonly Attempt[]} attempts
 */
function chart(attempts) {
  const slots = Math.max(attempts.length, 6);
  const longest = Math.max(...attempts.map(({ durationMs }) => durationMs), 1);
  return html`<svg
    class="chart"
    role="img"
    aria-label="How long each of the last ${attempts.length} refreshes took. The table below has the figures."
  >
    <line class="axis" x1="0" x2="100%" y1="92" y2="92"></line>
    ${attempts.map(({ outcome, durationMs, at }, index) => {
      const height = Math.max(4, (durationMs / longest) * 66);
      const middle = `${(((index + 0.5) / slots) * 100).toFixed(1)}%`;
      const left = `${(((index + 0.25) / slots) * 100).toFixed(1)}%`;
      return html`<rect
          class="${outcome}"
          x="${left}"
          y="${(92 - height).toFixed(1)}"
          width="${(50 / slots).toFixed(1)}%"
          height="${height.toFixed(1)}"
        ></rect>
        <text class="strong" x="${middle}" y="${(86 - height).toFixed(1)}" text-anchor="middle"
          >${outcome !== 'refreshed' && '✕ '}${duration(durationMs)}</text
        >
        <text x="${middle}" y="106" text-anchor="middle">${new Date(at).toISOString().slice(14, 19)}</text>`;
    })}
  </svg>`;
}

/** @param {readonly Attempt[]} attempts */
function table(attempts) {
  return html`<table class="stacks log" role="table">
    <caption class="hidden">
      The latest refreshes, newest first
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader" scope="col">Time</th>
        <th role="columnheader" scope="col">Outcome</th>
        <th role="columnheader" scope="col">Why</th>
        <th role="columnheader" scope="col">Took</th>
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${attempts.toReversed().map(
        (attempt) =>
          html`<tr role="row">
            <th role="rowheader" scope="row">${time(attempt.at)}</th>
            <td role="cell" data-label="Outcome"><span class="dot ${attempt.outcome}"></span>${outcome(attempt)}</td>
            <td role="cell" data-label="Why">${causes[attempt.cause]}</td>
            <td role="cell" data-label="Took">${duration(attempt.durationMs)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** @param {Attempt} attempt */
function outcome({ outcome, rotated, code, retryInMs }) {
  const details = code === undefined ? '' : html` <code>${code}</code>`;
  switch (outcome) {
    case 'refreshed':
      return rotated ? 'New token pair' : 'New access token';
    case 'tryLater':
      return html`Failed, next attempt in ${duration(retryInMs ?? 0)}${details}`;
    case 'inDoubt':
      return html`In doubt: the answer was lost${details}`;
    case 'ended':
      return html`Ended${details}`;
    case 'superseded':
      return 'Superseded: another process was first';
  }
}

/** @type {Readonly<Record<Attempt['cause'], string>>} */
const causes = {
  soft: 'soft stale',
  hard: 'hard stale',
  rejected: 'refused (401)',
  unwanted: 'refused by another host',
  login: 'check after a login',
  sweep: 'keep-alive',
  adoption: 'adopted',
};

/** @param {Life['served']} served */
function servedLine(served) {
  const { memory = 0, store = 0, refreshed = 0, stale = 0 } = served;
  const total = memory + store + refreshed + stale;
  if (total === 0) return '';
  const parts = [`${memory} from memory`, `${store} from the store`, `${refreshed} after a refresh`];
  if (stale > 0) parts.push(`${stale} while a refresh was due`);
  return html`<p class="hint">
    Handlers received the token ${total} ${total === 1 ? 'time' : 'times'}: ${parts.join(', ')}.
  </p>`;
}
