import type { ErrorPageDetails } from './error-details';
import { escapeHtml, pageHtml } from './page-html';
import { linksHtml } from './pages';

/** The page a user sees: what happened, what to do, and the code to mention. */
export function errorHtml({
  title,
  message,
  code,
  retryAfterSeconds,
  links,
  operatorMessage,
}: ErrorPageDetails): string {
  const wait =
    retryAfterSeconds === undefined || retryAfterSeconds < 2
      ? ''
      : `<p>Please wait ${Math.ceil(retryAfterSeconds)} seconds first.</p>\n`;
  const developer =
    operatorMessage === undefined
      ? ''
      : `<p class="wrong"><strong>Shown in development only:</strong> ${escapeHtml(operatorMessage)}</p>\n`;
  return pageHtml(
    title,
    `<p>${escapeHtml(message)}</p>
${wait}${developer}${linksHtml(links)}
<footer>Code: <code>${escapeHtml(code)}</code></footer>`,
  );
}
