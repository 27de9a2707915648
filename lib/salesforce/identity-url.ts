import { SalesforceAuthError } from '../errors';
import { isTrustedHost, parseUrl, type TrustedHosts } from './hosts';
import { isOrganizationId, isUserId, toId18 } from './ids';

/** The ids of an identity URL, in their 18-character form. */
export interface Identity {
  organizationId: string;
  userId: string;
}

/**
 * Reads organization and user from `https://<host>/id/<organization>/<user>`. Every other shape, and every untrusted host, is
 * refused.
 *
 * The host may be a login host, a My Domain or a site. It is not compared with the host of the login, because Salesforce
 * answers
 * `test.salesforce.com` for every sandbox.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_HOST_NOT_TRUSTED`
 */
export function parseIdentityUrl(value: unknown, trusted: TrustedHosts): Identity {
  const url = typeof value === 'string' ? parseUrl(value) : undefined;
  const identity = readIdentityUrl(value);
  if (!url || !identity || !isTrustedHost(url, trusted)) {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_HOST_NOT_TRUSTED',
      'The identity URL ("id") in the token reply is not a Salesforce identity URL, so the login was refused. ' +
        'If your users log in through a custom domain, name its host in the allowedHosts option.',
      { status: 502 },
    );
  }
  return identity;
}

/** The ids in an identity URL of any host, or undefined. Use the ids for comparisons only: the host is not trusted. */
export function readIdentityUrl(value: unknown): Identity | undefined {
  const url = typeof value === 'string' ? parseUrl(value) : undefined;
  const [, organizationId = '', userId = ''] = /\/id\/([^/]+)\/([^/]+)$/.exec(url?.pathname ?? '') ?? [];
  if (!isOrganizationId(organizationId) || !isUserId(userId)) return undefined;
  return { organizationId: toId18(organizationId), userId: toId18(userId) };
}
