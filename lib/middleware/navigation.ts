import type { Request } from 'express';

/** A navigation of a browser, by link or form, which can be shown a page; what a script sends cannot. */
export function isNavigation(req: Request): boolean {
  const mode = req.get('sec-fetch-mode');
  if (mode !== undefined && mode !== 'navigate') return false;
  return !req.xhr && req.accepts(['json', 'html']) === 'html';
}
