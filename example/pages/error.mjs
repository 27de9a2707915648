// @ts-check
import { html } from './html.mjs';
import { layout } from './layout.mjs';

/**
 * @param {import('./layout.mjs').Frame} frame
 * @param {object} error
 * @param {string} [error.title]
 * @param {string} error.message text for the user
 * @param {string | undefined} [error.code]
 * @param {string | undefined} [error.operatorMessage] text for the developer; only in development, on this machine
 * @param {readonly { label: string, href: string }[]} error.links what the user can do, the most helpful first
 */
export function errorPage(frame, { title = 'Something went wrong', message, code, operatorMessage, links }) {
  const [first, ...others] = links;
  return layout(frame, {
    title,
    content: html`<div class="card narrow" role="alert">
        <p>${message}</p>
        ${operatorMessage !== undefined && html`<p class="hint">For the developer: ${operatorMessage}</p>`}
        ${code !== undefined && html`<p class="hint">Code: <code>${code}</code></p>`}
      </div>
      <p class="actions">
        ${first && html`<a class="button" href="${first.href}">${first.label}</a>`}
        ${others.map(({ label, href }) => html` <a href="${href}">${label}</a>`)}
      </p>`,
  });
}
