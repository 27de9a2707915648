import { SalesforceAuthError } from '../errors';
import { isTrustedHost, parseUrl, type TrustedHosts } from './hosts';
import { isOrganizationId, isUserId, toId18 } from './ids';

/** Who an identity URL names, both ids in their 18-character form. */
export interface Identity {
  organizationId: string;
  userId: string;
}

/**
 * Reads organization and user from `https://<host>/id/<organization>/<user>`, refusing any other host or shape.
 *
 * The host may be a login host, My Domain or a site and is never compared with the login URL: Salesforce answers
 * `test.salesforce.com` for a sandbox whichever host the login went through.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_HOST_NOT_TRUSTED`
 */
export function parseIdentityUrl(value: unknown, trusted: TrustedHosts): Identity {
  const url = typeof value === 'string' ? parseUrl(value) : undefined;
  const identity = readIdentityUrl(value);
  if (!url || !identity || !isTrustedHost(url, trusted)) {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_HOST_NOT_TRUSTED',
      'The identity URL ("id") in the token reply is not a Salesforce identity URL, so nobody was logged in. ' +
        'If your users log in through a custom domain, name its host in the allowedHosts option.',
      { status: 502 },
    );
  }
  return identity;
}

/** The ids in an identity URL, whatever its host; undefined where it has none. For comparing only: the host is not trusted. */
export function readIdentityUrl(value: unknown): Identity | undefined {
  const url = typeof value === 'string' ? parseUrl(value) : undefined;
  const [, organizationId = '', userId = ''] = /\/id\/([^/]+)\/([^/]+)$/.exec(url?.pathname ?? '') ?? [];
  if (!isOrganizationId(organizationId) || !isUserId(userId)) return undefined;
  return { organizationId: toId18(organizationId), userId: toId18(userId) };
}
