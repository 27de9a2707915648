import type { Request } from 'express';
import { SalesforceOptionError } from '../errors';
import { invalid } from '../options/check';
import type { Configuration } from '../options/configuration';
import { parseRequestedBaseUrl } from '../salesforce/base-url';

/** The text of a query parameter that may be shown and passed on; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 255 ? value : undefined;
}

/**
 * The base URL that `org` in a query names: one of the `organizations`, or a My Domain on a trusted host.
 *
 * @throws SalesforceOptionError with status 400
 */
export function chosenBaseUrl(req: Request, configuration: Configuration): string | undefined {
  const org = textOf(req.query['org'])?.trim();
  if (org === undefined || org === '') return undefined;
  const { organizations, trustedHosts } = configuration;
  if (Object.hasOwn(organizations, org)) return organizations[org];
  try {
    return parseRequestedBaseUrl(/^https?:/.test(org) ? org : `https://${org}`, trustedHosts);
  } catch (error) {
    if (!(error instanceof SalesforceOptionError)) throw error;
    const names = Object.keys(organizations);
    const known = names.length === 0 ? '' : `one of ${names.join(', ')}, or `;
    const message = invalid('org', `${known}a My Domain such as example.my.salesforce.com`).message;
    throw new SalesforceOptionError(error.code, 'org', message, 400);
  }
}
