// @ts-check
import { html } from './html.mjs';
import { layout } from './layout.mjs';

/**
 * @param {import('./layout.mjs').Frame} frame
 * @param {{ title?: string, message: string, code?: string | undefined, retry: string }} data
 */
export function errorPage(frame, { title = 'Something went wrong', message, code, retry }) {
  return layout(frame, {
    title,
    content: html`<div class="card narrow" role="alert">
        <p>${message}</p>
        ${code !== undefined && html`<p class="hint">Code: <code>${code}</code></p>`}
      </div>
      <p class="actions"><a class="button" href="${retry}">Try again</a> <a href="/">Go to the start page</a></p>`,
  });
}
