import type { TokenCoordinator } from '../coordinator/coordinator';
import type { GrantKey } from '../coordinator/grant';
import { SalesforceAuthError } from '../errors';
import { parseJsonObject } from '../json-object';
import { isSalesforceHost, parseUrl } from '../salesforce/hosts';
import { isJwt } from '../token/token-format';
import { salesforceApiError } from './api-error';
import { salesforceFetch } from './fetch';

/**
 * A URL that opens Salesforce's user interface in a browser as the user of a grant, once. The URL is as good as a login: it is
 * meant for a redirect of this user, appears in no log or event, and is requested anew each time.
 *
 * @param path a path in the organization
 * @throws SalesforceAuthError `ERR_SALESFORCE_FOREIGN_ORIGIN`, `ERR_SALESFORCE_INSUFFICIENT_SCOPE`,
 *   `ERR_SALESFORCE_OPAQUE_TOKEN_NEEDED`, `ERR_SALESFORCE_USER_INTERFACE_DENIED`, and what `fetch()` throws
 */
export async function openFrontdoor(coordinator: TokenCoordinator, key: GrantKey, path: string): Promise<string> {
  const target = pathInOrganization(path);
  const reply = await salesforceFetch(coordinator, key, '/services/oauth2/singleaccess', {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams({ redirect_uri: target }),
  });
  if (!reply.ok) throw await refusal(reply, coordinator, key);
  const { instanceUrl } = await coordinator.get(key);
  const url = urlIn(await reply.text(), instanceUrl);
  if (url === undefined) {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_REPLY_INVALID',
      'Salesforce answered without the URL that opens its user interface, or with a URL that is not of Salesforce.',
      { status: 502, upstreamStatus: reply.status },
    );
  }
  return url;
}

/** A path and nothing else, as a browser reads it: no host, no scheme, no backslash that a browser takes for a slash. */
function pathInOrganization(path: unknown): string {
  const base = 'https://organization.invalid';
  const url = typeof path === 'string' && path.startsWith('/') ? parseUrl(base + path) : undefined;
  // Resolved as a link is, too: there `//host` and `/\host` are other hosts.
  const linked = typeof path === 'string' && URL.canParse(path, base) ? new URL(path, base) : undefined;
  if (url?.href.startsWith(`${base}/`) && !url.pathname.startsWith('//') && linked?.href === url.href) {
    return url.pathname + url.search + url.hash;
  }
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_FOREIGN_ORIGIN',
    "frontdoorUrl() takes a path in the user's organization, such as '/lightning/r/Account/001…/view', and no other URL.",
  );
}

async function refusal(reply: Response, coordinator: TokenCoordinator, key: GrantKey): Promise<SalesforceAuthError> {
  const text = (await reply.clone().text()).trim();
  if (reply.status !== 403) return salesforceApiError(reply);
  const { accessToken } = await coordinator.get(key);
  const details = { status: 403, upstreamStatus: 403, error: /^\w{3,40}$/.test(text) ? text : undefined };
  if (isJwt(accessToken)) {
    return new SalesforceAuthError(
      'ERR_SALESFORCE_OPAQUE_TOKEN_NEEDED',
      'A JWT-based access token opens no user interface. Turn off "Issue JSON Web Token (JWT)-based access tokens for named users" ' +
        'in the app, or use another app for this.',
      details,
    );
  }
  if (text === 'Invalid_Scope') {
    return new SalesforceAuthError(
      'ERR_SALESFORCE_INSUFFICIENT_SCOPE',
      "The scope 'web' is missing: add it to the scope option and to the app, and have the user log in again.",
      details,
    );
  }
  if (text === 'Bad_OAuth_Token') {
    return new SalesforceAuthError(
      'ERR_SALESFORCE_USER_INTERFACE_DENIED',
      'Salesforce refuses a token that was just refreshed, as it does for users with the permission "API Only User".',
      details,
    );
  }
  return salesforceApiError(reply);
}

/** The browser is sent there: only to the instance, or another host of Salesforce. */
function urlIn(text: string, instanceUrl: string): string | undefined {
  const value = parseJsonObject(text)?.['frontdoor_uri'];
  const url = typeof value === 'string' ? parseUrl(value) : undefined;
  if (!url || url.username || url.password) return undefined;
  const isSafe = url.protocol === 'https:' && url.port === '' && isSalesforceHost(url.hostname);
  return isSafe || url.origin === new URL(instanceUrl).origin ? url.href : undefined;
}
