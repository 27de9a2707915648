import { SalesforceAuthError, type SalesforceAuthErrorOptions, type SalesforceRuntimeErrorCode } from '../errors';

/**
 * What an answer of the token endpoint means for the grant that was presented.
 *
 * - `dead`: the grant is over; only a new login helps
 * - `busy`: the same refresh token is being used at this moment by somebody else
 * - `refused`: the client, the app or a policy is at fault, not the grant; the grant is kept
 * - `transient`: not carried out; it may be tried again
 * - `ambiguous`: nobody can tell whether the refresh token was spent
 */
export type Disposition = 'dead' | 'busy' | 'refused' | 'transient' | 'ambiguous';

/** An error of a token request, with what it means for the grant. */
export class TokenRequestError extends SalesforceAuthError {
  /** Not enumerable: it is for the coordinator, not for logs. */
  declare readonly disposition: Disposition;

  constructor(
    disposition: Disposition,
    code: SalesforceRuntimeErrorCode,
    message: string,
    options: SalesforceAuthErrorOptions,
  ) {
    super(code, message, options);
    Object.defineProperty(this, 'disposition', { value: disposition });
  }
}

interface Meaning {
  disposition: Disposition;
  code: SalesforceRuntimeErrorCode;
  /** HTTP status of our answer. */
  status: number;
  advice: string;
}

const newLogin: Meaning = {
  disposition: 'dead',
  code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED',
  status: 401,
  advice: 'The user has to log in again.',
};

const anotherLogin: Meaning = {
  disposition: 'dead',
  code: 'ERR_SALESFORCE_CODE_REJECTED',
  status: 400,
  advice: 'Start the login again.',
};

const wrongClient: Meaning = {
  disposition: 'refused',
  code: 'ERR_SALESFORCE_CLIENT_REJECTED',
  status: 502,
  advice: 'Check clientID, clientSecret and baseUrl against the OAuth settings of the app in Salesforce Setup.',
};

const policy: Meaning = {
  disposition: 'refused',
  code: 'ERR_SALESFORCE_CLIENT_REJECTED',
  status: 502,
  advice: "A policy of the organization refuses this app or this server's address; ask its Salesforce administrator.",
};

const limited: Meaning = {
  disposition: 'transient',
  code: 'ERR_SALESFORCE_RATE_LIMITED',
  status: 503,
  advice: 'Salesforce asks for fewer requests; it is tried again later.',
};

const unavailable: Meaning = {
  disposition: 'transient',
  code: 'ERR_SALESFORCE_UPSTREAM',
  status: 503,
  advice: 'Salesforce is not available at the moment; it is tried again later.',
};

/** Carried out or not, nobody can tell. */
const inDoubt: Meaning = { ...unavailable, disposition: 'ambiguous' };

const busy: Meaning = {
  disposition: 'busy',
  code: 'ERR_SALESFORCE_UPSTREAM',
  status: 503,
  advice: 'Another process is using the same refresh token outside the shared token store.',
};

/** `invalid_grant` has many causes, told apart by Salesforce's text alone (references: Salesforce release 252, help pages). */
const invalidGrantTexts: readonly [RegExp, Meaning][] = [
  [/already being processed/i, busy],
  [/ip restricted|login hours|no valid scopes/i, policy],
];

const meanings: Readonly<Record<string, Meaning>> = {
  invalid_client: wrongClient,
  invalid_client_id: wrongClient,
  unsupported_grant_type: wrongClient,
  redirect_uri_mismatch: wrongClient,
  redirect_uri_missing: wrongClient,
  unauthorized_client: wrongClient,
  invalid_app_access: policy,
  app_not_found: policy,
  app_blocked: policy,
  fail_close_app_blocked: policy,
  oauth_flow_disabled: policy,
  invalid_scope: policy,
  rate_limit_exceeded: limited,
  slow_down: limited,
  server_error: inDoubt,
  service_unavailable: unavailable,
  temporarily_unavailable: unavailable,
  system_down: unavailable,
  unknown_error: inDoubt,
};

/** Turns an OAuth error reply (RFC 6749, section 5.2) into an error that says what it means for the grant. */
export function oauthError(
  grantType: 'authorization_code' | 'refresh_token',
  reply: { error: string; errorDescription: string | undefined; status: number; retryAfterSeconds: number | undefined },
): TokenRequestError {
  const { error, errorDescription, status, retryAfterSeconds } = reply;
  const meaning = meaningOf(grantType, error, errorDescription ?? '', status);
  const said = errorDescription === undefined ? error : `${error}: ${errorDescription}`;
  return new TokenRequestError(meaning.disposition, meaning.code, `Salesforce answered "${said}". ${meaning.advice}`, {
    status: meaning.status,
    error,
    errorDescription,
    upstreamStatus: status,
    retryAfterSeconds: retryAfterSeconds ?? (meaning.status === 503 ? 5 : undefined),
  });
}

function meaningOf(grantType: string, error: string, description: string, status: number): Meaning {
  if (status === 429) return limited;
  if (error === 'invalid_grant') {
    const known = invalidGrantTexts.find(([pattern]) => pattern.test(description));
    if (known) return known[1];
    if (grantType === 'authorization_code') return anotherLogin;
    // Before Winter '25 Salesforce gave this text for two refreshes at once, in which no code takes part.
    return /expired authorization code/i.test(description) ? busy : newLogin;
  }
  if (grantType === 'refresh_token' && /^inactive_(?:user|org)$/.test(error)) return newLogin;
  const known = Object.hasOwn(meanings, error) ? meanings[error] : undefined;
  if (known) return known;
  if (grantType === 'authorization_code') return anotherLogin;
  return status >= 500 ? inDoubt : { ...wrongClient, code: 'ERR_SALESFORCE_TOKEN_ENDPOINT' };
}

/**
 * A text from Salesforce, safe to show in a log: one line, bounded, and without anything long enough to be a secret.
 */
export function safeText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return value
    .replace(/[^\x20-\x7e]+/g, ' ')
    .replace(/[A-Za-z0-9+/=_.!~-]{30,}/g, '[redacted]')
    .slice(0, 200);
}
