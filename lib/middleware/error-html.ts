import type { ErrorPageDetails } from './error-page';
import { escapeHtml, pageHtml } from './page-html';

/** The page a user sees: what happened, what to do, and the code to mention. */
export function errorHtml({ title, message, code, retryAfterSeconds, links }: ErrorPageDetails): string {
  const wait =
    retryAfterSeconds === undefined || retryAfterSeconds < 2
      ? ''
      : `<p>Please wait ${Math.ceil(retryAfterSeconds)} seconds first.</p>\n`;
  const items = links.map(({ label, href }) => `<a href="${escapeHtml(href)}">${escapeHtml(label)}</a>`);
  return pageHtml(
    title,
    `<p>${escapeHtml(message)}</p>
${wait}<nav aria-label="What you can do">${items.join('\n')}</nav>
<footer>Code: <code>${escapeHtml(code)}</code></footer>`,
  );
}
