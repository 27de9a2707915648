import { createHash, randomBytes } from 'node:crypto';
import { classify, isKnown, operatorMessage } from '../salesforce-errors/classify';
import { meanings } from '../salesforce-errors/meanings';
import { errorOnPage } from '../salesforce-errors/page';
import { safeText } from '../salesforce-errors/safe-text';
import type { Clock } from '../clock';
import { SalesforceAuthError } from '../errors';
import type { Configuration } from '../options/configuration';
import { endpointsOf } from '../salesforce/endpoints';
import { parseUrl } from '../salesforce/hosts';
import { exchange, type HttpReply } from './http';

/** What a user typed into the application's own form. */
export interface Credentials {
  username: string;
  password: string;
}

/** Where the credentials are in the request: in its form, or in a header `Authorization: Basic`. */
export type CredentialsPlace = 'body' | 'header';

/** A code that credentials brought, and the verifier it is exchanged with. */
export interface CredentialsCode {
  code: string;
  codeVerifier: string;
}

/** What is asked for, and of whom. */
export interface CredentialsRequest {
  baseUrl: string;
  callbackURL: string;
  scope: readonly string[];
  credentialsIn: CredentialsPlace;
}

/**
 * Turns username and password into an authorization code: the Authorization Code and Credentials Flow of Experience Cloud,
 * with PKCE and state. The credentials are sent once and in one place, since a second try could count as a second guess.
 *
 * Salesforce answers with a redirect to the callback URL, or with JSON from its echo endpoint. Its answer to
 * wrong credentials is not documented, so an unknown error counts as wrong credentials.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_CREDENTIALS_REJECTED`, those of the catalogue, or a transport error
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_authorization_code_credentials_flow.htm
 */
export async function codeOfCredentials(
  { username, password }: Credentials,
  { baseUrl, callbackURL, scope, credentialsIn }: CredentialsRequest,
  configuration: Configuration,
  clock: Clock,
): Promise<CredentialsCode> {
  const codeVerifier = randomBytes(32).toString('base64url');
  const state = randomBytes(24).toString('base64url');
  const body = new URLSearchParams({
    response_type: 'code_credentials',
    client_id: configuration.clientID,
    redirect_uri: callbackURL,
    state,
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(scope.length > 0 ? { scope: scope.join(' ') } : {}),
    ...(credentialsIn === 'body' ? { username, password } : {}),
  });
  const basic = `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
  const headers = {
    'auth-request-type': 'Named-User',
    ...(credentialsIn === 'header' ? { authorization: basic } : {}),
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  };
  const reply = await exchange(
    endpointsOf(baseUrl).authorization_endpoint,
    { method: 'POST', headers, body },
    configuration,
    clock,
  );
  const answer = answerOf(reply, callbackURL);
  const code = answer?.get('code') ?? '';
  if (code === '') throw isLoginPage(reply) ? notTaken(reply, credentialsIn) : refusal(reply, answer);
  const returned = answer?.get('state') ?? state;
  if (returned !== state) {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_STATE_MISMATCH',
      'Salesforce answered the login with the "state" of another one. Log in again.',
      { status: 502 },
    );
  }
  return { code, codeVerifier };
}

/** The parameters of a redirect to the callback URL, of a JSON object, or of an error page; undefined for another redirect. */
function answerOf({ status, headers, text }: HttpReply, callbackURL: string): URLSearchParams | undefined {
  if (status >= 300 && status < 400) {
    const [target, callback] = [parseUrl(headers.get('location') ?? ''), new URL(callbackURL)];
    const isOurs = target?.origin === callback.origin && target.pathname === callback.pathname;
    return isOurs ? target.searchParams : undefined;
  }
  try {
    const json: unknown = JSON.parse(text);
    const texts = Object.entries(json ?? {}).filter(([, value]) => typeof value === 'string');
    return new URLSearchParams(texts as [string, string][]);
  } catch {
    return errorOnPage(text);
  }
}

/**
 * Whether Salesforce shows its own login page. Then it has not recognized a login of this flow, and has not checked the
 * password.
 */
function isLoginPage({ status, headers, text }: HttpReply): boolean {
  if (status < 200 || status >= 300) return false;
  return /^text\/html\b/i.test(headers.get('content-type') ?? '') || /^\s*<(?:!doctype|html)\b/i.test(text);
}

const boxes =
  `In Salesforce Setup, in the app's OAuth settings, "Enable Authorization Code and Credentials Flow" has to be ticked. ` +
  'With "Require user credentials in the POST body" ticked, credentialsIn of credentialsLogin() has to be \'body\', the default; ' +
  "if the box is not ticked, try 'header'. The app needs each scope that is asked for.";

/** Reported: Salesforce shows its login page if the settings of the app do not fit. The user has made no mistake. */
function notTaken({ status }: HttpReply, credentialsIn: CredentialsPlace): SalesforceAuthError {
  const place = credentialsIn === 'body' ? 'in the POST body' : 'in a header';
  return new SalesforceAuthError(
    'ERR_SALESFORCE_FLOW_DISABLED',
    `Salesforce answered with its login page to username and password ${place}. ${boxes}`,
    { status: 502, upstreamStatus: status },
  );
}

/** Errors that mean wrong credentials or a missing approval. They get one answer, which does not show whether a user exists. */
const aboutCredentials = new Set(['invalid_grant', 'access_denied', 'access-denied', 'login_error']);

function refusal({ status }: HttpReply, answer: URLSearchParams | undefined): SalesforceAuthError {
  const error = safeText(answer?.get('error') ?? answer?.get('errorCode'));
  if (status === 429 || status >= 500) {
    return new SalesforceAuthError(
      status === 429 ? 'ERR_SALESFORCE_RATE_LIMITED' : 'ERR_SALESFORCE_UPSTREAM',
      `Salesforce answered a login with status ${status}. Try again later.`,
      { status: 503, upstreamStatus: status, retryAfterSeconds: 5 },
    );
  }
  if (error !== undefined && !aboutCredentials.has(error)) {
    const said = { error, errorDescription: safeText(answer?.get('error_description')), status };
    // Salesforce shows on a page what is wrong with the client or the callback URL.
    const found = classify(isKnown('callback', said) ? 'callback' : 'page', said);
    if (found === meanings.authorization) {
      // The text for credentials in the wrong place is not known, so each refused request names the box.
      return new SalesforceAuthError(found.code, operatorMessage(said, { ...found, advice: boxes }), {
        ...{ ...said, status: found.status, upstreamStatus: status },
      });
    }
    if (found !== 'ignored') {
      return new SalesforceAuthError(found.code, operatorMessage(said, found), { ...said, status: found.status });
    }
  }
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CREDENTIALS_REJECTED',
    'Salesforce did not accept username and password. If they are right: the user has to be a member of the site, and the ' +
      'app pre-approved for the user and enabled for the Authorization Code and Credentials Flow in Salesforce Setup.',
    { status: 401, upstreamStatus: status },
  );
}
