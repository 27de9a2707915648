import type { IDToken } from 'oauth4webapi';
import { BoundedMap } from '../bounded-map';
import type { Clock } from '../clock';
import { SalesforceAuthError } from '../errors';
import type { Configuration } from '../options/configuration';
import { endpointsOf, type Endpoints } from '../salesforce/endpoints';
import { parseIdentityUrl } from '../salesforce/identity-url';
import { exchange } from './http';
import { unprovenClaims } from './token-format';
import { transportOf } from './transport';
import type { TokenSet } from './types';

/**
 * Validates an ID token: issuer, audience, nonce, times, and the RS256 signature by the issuer's own keys.
 *
 * A login through login.salesforce.com can carry the organization's My Domain as `iss`. Accepted are the host the login
 * went to and the instance of the same reply, which is trusted by then; nothing else.
 *
 * @returns its claims
 * @throws SalesforceAuthError `ERR_SALESFORCE_ID_TOKEN_INVALID`, or a transport error while fetching keys
 */
export async function validateIdToken(
  idToken: string,
  tokens: TokenSet,
  nonce: string | undefined,
  configuration: Configuration,
  clock: Clock,
): Promise<IDToken> {
  const issuers = [tokens.baseUrl, tokens.instanceUrl, ...(tokens.siteUrl === undefined ? [] : [tokens.siteUrl])];
  // `iss` chooses among the accepted issuers; it is proven afterwards.
  const iss = unprovenClaims(idToken)?.['iss'];
  const issuer = issuers.find((candidate) => candidate === iss);
  if (issuer === undefined) throw invalid('its issuer is neither the login host nor the instance of the organization');
  const server = issuerOfKeys(issuer);
  const response = new Response(
    JSON.stringify({ access_token: tokens.accessToken, token_type: 'bearer', id_token: idToken }),
    { headers: { 'content-type': 'application/json' } },
  );
  const oauth = await import('oauth4webapi');
  let failure: unknown;
  try {
    const reply = await oauth.processAuthorizationCodeResponse(
      server,
      { client_id: configuration.clientID },
      response,
      {
        expectedNonce: nonce ?? oauth.expectNoNonce,
        requireIdToken: true,
      },
    );
    const fetchKeys = async (url: string, options: { headers: Record<string, string> }): Promise<Response> => {
      try {
        const keys = await exchange(url, { method: 'GET', headers: options.headers }, configuration, clock);
        if (keys.status !== 200) throw noKeys(keys.status);
        return new Response(keys.text, { headers: { 'content-type': 'application/json' } });
      } catch (error) {
        failure = error;
        throw error;
      }
    };
    await oauth.validateApplicationLevelSignature(server, response, transportOf(oauth, issuer, fetchKeys));
    const claims = oauth.getValidatedIdTokenClaims(reply);
    if (!claims) throw invalid('it has no claims');
    const subject = parseIdentityUrl(claims.sub, configuration.trustedHosts);
    if (subject.organizationId !== tokens.organizationId || subject.userId !== tokens.userId) {
      throw invalid('it is about another user than the rest of the reply');
    }
    return claims;
  } catch (error) {
    if (failure !== undefined) throw failure as Error;
    if (error instanceof SalesforceAuthError && error.code === 'ERR_SALESFORCE_ID_TOKEN_INVALID') throw error;
    throw invalid(explain(error));
  }
}

/** Issuers whose keys are remembered; there are as many as organizations that log in. */
const maxIssuers = 1_000;
const issuersOfKeys = new BoundedMap<string, Endpoints>(maxIssuers);

/** One object for each issuer, since oauth4webapi keeps fetched keys by it: a login then needs no trip for them. */
function issuerOfKeys(issuer: string): Endpoints {
  const known = issuersOfKeys.get(issuer);
  if (known) return known;
  const server = endpointsOf(issuer);
  issuersOfKeys.set(issuer, server);
  return server;
}

/** oauth4webapi's own words name a claim and quote no token; its `cause` does and is dropped. */
function explain(error: unknown): string {
  const { name, message, code } = error instanceof Error ? (error as Error & { code?: unknown }) : {};
  if (message !== undefined && /^[\w"'(), -]{1,160}$/.test(message)) return message;
  const kind = [code, name].find((word): word is string => typeof word === 'string' && /^\w{1,60}$/.test(word));
  return kind === undefined ? 'it could not be verified' : `it could not be verified (${kind})`;
}

/** Nothing is known of the ID token then. */
function noKeys(status: number): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_UPSTREAM',
    `Salesforce did not give the keys that prove an ID token (status ${status}). Try again; if it lasts, look at https://status.salesforce.com.`,
    { status: 503, upstreamStatus: status, retryAfterSeconds: 5 },
  );
}

function invalid(why: string): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_ID_TOKEN_INVALID',
    `The ID token was refused: ${why}. Start the login again; if it lasts, check the clock of this machine and baseUrl.`,
    { status: 502 },
  );
}
