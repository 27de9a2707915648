import { runWithFaults } from '../faults/run';
import type { Exchange } from '../http/exchange';
import { htmlReply, type Reply } from '../http/reply';
import { errorPage } from '../pages/pages';
import type { Provider } from '../provider';
import type { EmulatorClient } from '../state/clients';
import { callbackWithError } from './callback';
import { authorizeCredentials } from './credentials';
import { grantedScopes } from './scopes';
import { continueAuthorization } from './steps';
import { trustedCallback } from './trusted-callback';

const prompts = ['login', 'consent', 'login consent', 'select_account'];
const displays = ['page', 'popup', 'touch', 'mobile'];

/** The authorization endpoint (RFC 6749, section 3.1). */
export function authorize(provider: Provider, exchange: Exchange): Promise<Reply> {
  if (exchange.method === 'POST' && exchange.form.get('response_type') === 'code_credentials') {
    return authorizeCredentials(provider, exchange);
  }
  const trusted = trustedCallback(provider, exchange.query);
  const errorShape = (error: string, description = '', status?: number, page = false): Reply =>
    'page' in trusted || page
      ? htmlReply(errorPage(error, description), status ?? 400)
      : callbackWithError(trusted.redirectURI, exchange.query.get('state') ?? undefined, error, description);
  return runWithFaults(provider.faults, exchange, ['authorize'], errorShape, () => {
    if ('page' in trusted) return trusted.page;
    const { client, redirectURI } = trusted;
    const invalid = requestError(exchange, client);
    if (invalid) return errorShape(invalid.error, invalid.description);
    const { query } = exchange;
    const transaction = provider.browsers.start({
      client,
      redirectURI,
      state: query.get('state') ?? undefined,
      scopes: grantedScopes(client, query.get('scope')) ?? [],
      nonce: query.get('nonce') ?? undefined,
      codeChallenge: query.get('code_challenge') ?? undefined,
      prompt: query.get('prompt')?.split(' ') ?? [],
      loginHint: query.get('login_hint') ?? undefined,
      display: query.get('display') ?? 'page',
      site: exchange.site,
    });
    const reply = continueAuthorization(provider, exchange, transaction, query.get('immediate') === 'true');
    return provider.settings.redirectWith === 'javascript' ? withJavaScript(reply) : reply;
  });
}

function requestError(
  { method, query }: Exchange,
  client: EmulatorClient,
): { error: string; description: string } | undefined {
  const invalidRequest = (description: string): { error: string; description: string } => ({
    error: 'invalid_request',
    description,
  });
  if (method !== 'GET') return invalidRequest('must use HTTP GET');
  const names = [...query.keys()];
  if (new Set(names).size < names.length) return invalidRequest('duplicate parameter');
  if (query.get('response_type') !== 'code') {
    return { error: 'unsupported_response_type', description: 'response type not supported' };
  }
  const challenge = query.get('code_challenge');
  if (client.policy.requirePkce && challenge === null) return invalidRequest('missing required code challenge');
  if (challenge !== null && !/^[\w-]{43}$/.test(challenge)) return invalidRequest('invalid code challenge');
  // At Salesforce a missing method means S256, although RFC 7636 says "plain".
  if ((query.get('code_challenge_method') ?? 'S256') !== 'S256') {
    return invalidRequest('code challenge method not supported');
  }
  if (!prompts.includes(query.get('prompt') ?? 'login')) return invalidRequest('invalid prompt');
  if (!displays.includes(query.get('display') ?? 'page')) return invalidRequest('invalid display');
  if (!grantedScopes(client, query.get('scope'))) {
    return { error: 'invalid_scope', description: 'the requested scope is not allowed' };
  }
  return undefined;
}

/**
 * Salesforce may answer with a page whose script moves the browser. A client that only follows redirects stops at this page.
 */
function withJavaScript(reply: Reply): Reply {
  const { location, ...headers } = reply.headers;
  if (typeof location !== 'string') return reply;
  const target = JSON.stringify(location).replaceAll('<', '\\u003c');
  const script = `<html><head><script>window.location.replace(${target});</script></head><body></body></html>`;
  return { ...htmlReply(script), headers };
}
