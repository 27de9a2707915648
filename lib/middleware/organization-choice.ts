import type { Request } from 'express';
import { SalesforceOptionError } from '../errors';
import { invalid } from '../options/check';
import { parseRequestedBaseUrl } from '../salesforce/base-url';
import type { AuthContext } from './context';

/** The text of a query parameter that may be shown and passed on; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' && value.length <= 255 ? value : undefined;
}

/**
 * The base URL that an organization's name stands for: one of the `organizations`, or a My Domain, if the application lets
 * users name one. Undefined for no name.
 *
 * @throws SalesforceOptionError with status 400
 */
export async function baseUrlOf(core: AuthContext, req: Request, org: string | undefined): Promise<string | undefined> {
  if (org === undefined || org === '') return undefined;
  const { organizations, trustedHosts, anyMyDomain } = await core.configurationOf(req);
  if (Object.hasOwn(organizations, org)) return organizations[org];
  const takesMyDomain = anyMyDomain ?? core.options.routes.choose !== false;
  try {
    if (takesMyDomain) return parseRequestedBaseUrl(/^https?:/.test(org) ? org : `https://${org}`, trustedHosts);
  } catch (error) {
    if (!(error instanceof SalesforceOptionError)) throw error;
  }
  const names = Object.keys(organizations);
  const ways = [
    ...(names.length > 0 ? [`one of ${names.join(', ')}`] : []),
    ...(takesMyDomain ? ['a My Domain such as example.my.salesforce.com'] : []),
  ];
  const expected = ways.length > 0 ? ways.join(', or ') : 'left out: this application has one organization';
  throw invalid('org', expected, 'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED', 400);
}
