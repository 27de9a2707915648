import { htmlReply, type Reply } from '../http/reply';
import { errorPage } from '../pages/pages';
import type { Provider } from '../provider';
import type { EmulatorClient } from '../state/clients';

/**
 * Checks client and redirect URI. Errors of this check are shown on a page, because an untrusted redirect URI must receive
 * nothing.
 */
export function trustedCallback(
  provider: Provider,
  query: URLSearchParams,
): { client: EmulatorClient; redirectURI: string } | { page: Reply } {
  const onPage = (error: string, description: string): { page: Reply } => ({
    page: htmlReply(errorPage(error, description), 400),
  });
  const client = provider.clients.find(query.get('client_id'));
  if (!client) return onPage('invalid_client_id', 'client identifier invalid');
  const redirectURI = query.get('redirect_uri');
  if (redirectURI === null) return onPage('redirect_uri_missing', 'redirect_uri not provided');
  if (!client.callbackURLs.includes(redirectURI) || query.getAll('redirect_uri').length > 1) {
    const details = { sent: query.getAll('redirect_uri'), registered: client.callbackURLs };
    const html = errorPage('redirect_uri_mismatch', 'redirect_uri must match configuration', details);
    return { page: htmlReply(html, 400) };
  }
  return { client, redirectURI };
}
