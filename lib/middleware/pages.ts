import type { Response } from 'express';
import { escapeHtml, pageHeaders, pageHtml } from './page-html';

/** Something a page offers. */
export interface PageLink {
  label: string;
  href: string;
}

/** Sends a page of sentences and links. */
export function sendLinks(
  res: Response,
  page: { title: string; sentences: readonly string[]; links: readonly PageLink[] },
): void {
  sendPage(res, page.title, `${paragraphs(page.sentences)}\n${linksHtml(page.links)}`);
}

/**
 * Sends the browser on by a page, not by a redirect: the next navigation begins here. So a session cookie that is
 * `SameSite=Strict` goes along, and a `form-action` of the application's Content Security Policy, which browsers apply to the
 * redirects of a form as well, does not stop it.
 */
export function sendOn(res: Response, url: string): void {
  const target = escapeHtml(url);
  const refresh = `\n<meta http-equiv="refresh" content="0;url=${target}">`;
  res.status(200).set(pageHeaders()).type('html');
  res.send(pageHtml('One moment …', linksHtml([{ label: 'Go on', href: url }]), refresh));
}

/** A page for a frame: Salesforce refuses to be shown in one, so the login needs the whole window. */
export function sendFramed(res: Response, href: string): void {
  const { 'Content-Security-Policy': policy = '', ...others } = pageHeaders();
  res.status(401).set(others).type('html');
  // Without this the frame would be blank. The page has only a link that leaves the frame.
  res.set('Content-Security-Policy', policy.replace("; frame-ancestors 'none'", ''));
  const link = `<nav><a href="${escapeHtml(href)}" target="_top">Log in with Salesforce</a></nav>`;
  res.send(pageHtml('Please log in', `<p>Salesforce does not let you log in inside another page.</p>\n${link}`));
}

/** A page with the button that logs out, for a logout route that is opened by a link. */
export function sendLogout(res: Response, action: string): void {
  const form = `<form method="post" action="${escapeHtml(action)}"><button class="first">Log out</button></form>`;
  // With `no-referrer` the form would name no origin, and could be one of another site. The address holds nothing secret.
  sendPage(res, 'Log out?', form, { 'Referrer-Policy': 'same-origin' });
}

/** A page fetched in advance must not begin a login: each takes a cookie. Browsers take 503 for "not now". */
export function refusePrefetch(res: Response): void {
  res.status(503).set('Cache-Control', 'no-store').end();
}

/** The links of a page, the most helpful first. */
export function linksHtml(links: readonly PageLink[]): string {
  const items = links.map(({ label, href }) => `<a href="${escapeHtml(href)}">${escapeHtml(label)}</a>`);
  return `<nav aria-label="What you can do">${items.join('\n')}</nav>`;
}

function paragraphs(sentences: readonly string[]): string {
  return sentences.map((sentence) => `<p>${escapeHtml(sentence)}</p>`).join('\n');
}

function sendPage(res: Response, title: string, content: string, headers: Record<string, string> = {}): void {
  res
    .set({ ...pageHeaders(), ...headers })
    .type('html')
    .send(pageHtml(title, content));
}
