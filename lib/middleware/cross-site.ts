import type { Request } from 'express';
import { parseUrl } from '../salesforce/hosts';

/**
 * Whether another site makes the browser send this request: by fetch metadata, or by `Origin` in browsers that do not send
 * it. A script that sends neither is no victim.
 *
 * @param isStrict counts other subdomains of the same site as others, too
 */
export function isCrossSite(req: Request, isStrict = false): boolean {
  const site = req.get('sec-fetch-site');
  if (site !== undefined) return site === 'cross-site' || (isStrict && site === 'same-site');
  const origin = req.get('origin');
  if (origin === undefined) return false;
  return parseUrl(origin)?.host !== req.get('host');
}
