import { runWithFaults } from '../faults/run';
import type { Exchange } from '../http/exchange';
import { htmlReply, jsonReply, oauthError, type Reply } from '../http/reply';
import type { EmulatorUser } from '../org/users';
import { page } from '../pages/html';
import type { Provider } from '../provider';
import { denialOf } from './app-access';
import { callback } from './callback';
import { grantedScopes } from './scopes';
import { trustedCallback } from './trusted-callback';

/**
 * The Authorization Code and Credentials Flow of Experience Cloud sites: the application posts the username and password from
 * its own form, and gets a code. Only a site serves this flow, and only if the flow is enabled for the app.
 *
 * Salesforce's answer to wrong credentials is not documented. The emulator answers 401 with JSON.
 *
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_authorization_code_credentials_flow.htm
 */
export function authorizeCredentials(provider: Provider, exchange: Exchange): Promise<Reply> {
  const refuse = (error: string, description = '', status = 400): Reply => oauthError(error, description, status);
  return runWithFaults(provider.faults, exchange, ['authorize'], refuse, () => {
    const { form, site } = exchange;
    const trusted = trustedCallback(provider, form);
    if ('page' in trusted) return trusted.page;
    const { client, redirectURI } = trusted;
    const { policy } = client;
    if (site === '' || !policy.authorizationCodeAndCredentials) {
      return refuse('oauth_flow_disabled', 'authorization code and credentials flow is not enabled');
    }
    if (exchange.header('auth-request-type')?.toLowerCase() !== 'named-user') {
      return refuse('invalid_request', 'auth-request-type not supported');
    }
    if (policy.isCodeCredentialPostOnly && basicOf(exchange) !== undefined) {
      // As reported, a header is not looked at, and the user sees the login page. With both, the client is mistaken.
      if (form.has('password')) return refuse('invalid_request', 'user credentials must be sent in the POST body');
      return htmlReply(page('Log in', '<p>Log in to the site.</p>'));
    }
    const challenge = form.get('code_challenge');
    if (policy.requirePkce && challenge === null) return refuse('invalid_request', 'missing required code challenge');
    if (challenge !== null && !/^[\w-]{43}$/.test(challenge)) {
      return refuse('invalid_request', 'invalid code challenge');
    }
    const scopes = grantedScopes(client, form.get('scope'));
    if (!scopes) return refuse('invalid_scope', 'the requested scope is not allowed');
    const user = userOf(provider, exchange);
    if (!user) return refuse('invalid_grant', 'invalid user credentials', 401);
    const denial = denialOf(provider, client, user, scopes);
    if (denial) return refuse(denial.token.error, denial.token.description);
    const codeChallenge = challenge ?? undefined;
    const code = provider.codes.issue({ client, user, scopes, redirectURI, nonce: undefined, codeChallenge, site });
    const answer = { code, sfdc_community_url: exchange.origin + site, sfdc_community_id: '0DBFAKE00000001' };
    // The echo endpoint of the site, as redirect URI, shows the code as JSON to a client that follows the redirect.
    if (new URL(redirectURI).pathname === `${site}/services/oauth2/echo`) return jsonReply(answer);
    return callback(redirectURI, form.get('state') ?? undefined, answer);
  });
}

/**
 * The user whose username and password were sent in the Basic header or in the form. In this flow the header never has the
 * client's secret. The form fields are those that Salesforce's own sample applications send. An app without the box accepts both places.
 */
function userOf(provider: Provider, exchange: Exchange): EmulatorUser | undefined {
  const basic = basicOf(exchange);
  const text = Buffer.from(basic ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const given =
    basic === undefined
      ? [exchange.form.get('username'), exchange.form.get('password')]
      : [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)];
  return provider.users.find(
    ({ username, password, active, organizationId }) =>
      username === given[0] &&
      password === given[1] &&
      active &&
      organizationId === provider.organizationOfSite(exchange.site),
  );
}

function basicOf(exchange: Exchange): string | undefined {
  return /^Basic +(.+)$/i.exec(exchange.header('authorization') ?? '')?.[1];
}
