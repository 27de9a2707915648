import { runWithFaults } from './faults/run';
import type { Exchange } from './http/exchange';
import { htmlReply, jsonReply, type Reply } from './http/reply';
import { bearer } from './oauth/bearer';
import type { Provider } from './provider';

/** Scopes of APIs off the instance: hosted MCP servers, the Agent API and other APIs of the platform, chatbots. */
const hostedScopes = ['mcp_api', 'sfap_api', 'chatbot_api', 'full'];

/**
 * A host of APIs that is no instance, as api.salesforce.com is. None of these APIs is emulated: every path answers who calls. As
 * reported of Salesforce, an opaque token is answered with 404. What a token that has ended, or one without a scope, is answered
 * with is not documented: here 401 and 403 as in RFC 6750.
 */
export function hostedApi(provider: Provider, exchange: Exchange): Promise<Reply> {
  const refuse = (error: string, description = '', status = 401): Reply =>
    jsonReply({ error, error_description: description }, status, { 'www-authenticate': `Bearer error="${error}"` });
  return runWithFaults(provider.faults, exchange, ['hosted-api'], refuse, () => {
    const access = bearer(provider, exchange);
    if (access === 'missing') return jsonReply({ error: 'unauthorized' }, 401, { 'www-authenticate': 'Bearer' });
    if (access === 'bad') return refuse('invalid_token', 'the token has ended');
    if (access.format === 'opaque') return htmlReply('<html><body>URL No Longer Exists</body></html>', 404);
    const { scopes, user } = access.grant;
    if (!scopes.some((scope) => hostedScopes.includes(scope))) {
      return refuse('insufficient_scope', 'the token has no scope of this API', 403);
    }
    const { userId, organizationId, username } = user;
    const { method, path, json } = exchange;
    return jsonReply({ method, path, body: json ?? null, caller: { userId, organizationId, username }, scopes });
  });
}
