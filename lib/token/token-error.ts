import { classify, operatorMessage, type UpstreamError } from '../salesforce-errors/classify';
import { meanings, type Disposition } from '../salesforce-errors/meanings';
import { SalesforceAuthError, type SalesforceAuthErrorOptions, type SalesforceRuntimeErrorCode } from '../errors';

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

/** Requests of the token endpoint that differ in what its errors mean; `app` is every grant without a user's part in it. */
export type TokenGrantType = 'authorization_code' | 'refresh_token' | 'app';

const places = { authorization_code: 'code', refresh_token: 'refresh', app: 'app' } as const;

/** Turns an OAuth error reply (RFC 6749, section 5.2) into an error that says what it means for the grant. */
export function oauthError(
  grantType: TokenGrantType,
  reply: UpstreamError & { status: number; retryAfterSeconds: number | undefined },
): TokenRequestError {
  const { error, errorDescription, status, retryAfterSeconds } = reply;
  const found = classify(places[grantType], reply);
  const meaning = found === 'ignored' ? meanings.tokenEndpoint : found;
  return new TokenRequestError(meaning.disposition, meaning.code, operatorMessage(reply, meaning), {
    status: meaning.status,
    error,
    errorDescription,
    upstreamStatus: status,
    retryAfterSeconds: retryAfterSeconds ?? (meaning.status === 503 ? 5 : undefined),
  });
}
