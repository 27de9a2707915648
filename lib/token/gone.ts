import { isSalesforceAuthError, SalesforceAuthError, systemCode } from '../errors';
import type { HttpReply } from './http';

/**
 * Whether a host is gone: its name does not resolve, or it redirects, or it has no such page. Such a request was not carried
 * out. A refused connection, a time-out, a 5xx or a wrong certificate is an outage, however long.
 */
export function isHostGone(error: unknown): boolean {
  if (!isSalesforceAuthError(error)) return false;
  if (error.code === 'ERR_SALESFORCE_HOST_GONE') return true;
  return error.code === 'ERR_SALESFORCE_UNREACHABLE' && systemCode(error.cause) === 'ENOTFOUND';
}

/** @throws SalesforceAuthError `ERR_SALESFORCE_HOST_GONE` if a reply shows that its host is gone */
export function assertHostThere(url: string, { status, text }: HttpReply): void {
  const isRedirect = status >= 300 && status < 400;
  const isMissing = (status === 404 || status === 410) && text.trim() !== '' && !isJson(text);
  if (!isRedirect && !isMissing) return;
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_HOST_GONE',
    `${new URL(url).host} answered with ${isRedirect ? 'a redirect' : 'a page'} (status ${status}), so it is no login host ` +
      'any more. Check the baseUrl option; a renamed My Domain or a deleted sandbox has another address.',
    { status: 502, upstreamStatus: status, retryAfterSeconds: 60 },
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
