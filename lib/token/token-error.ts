import { classify, operatorMessage, type UpstreamError } from '../salesforce-errors/classify';
import { meanings, type Disposition } from '../salesforce-errors/meanings';
import { SalesforceAuthError, type SalesforceAuthErrorOptions, type SalesforceRuntimeErrorCode } from '../errors';

/** What a {@link TokenRequestError} is made of. */
interface TokenRequestErrorOptions extends SalesforceAuthErrorOptions {
  /** The pause that Salesforce asked for, if it did. Without it a user is asked to try again after some seconds. */
  askedForSeconds?: number | undefined;
}

/** An error of a token request, with what it means for the grant. */
export class TokenRequestError extends SalesforceAuthError {
  /** Not enumerable, as the next one: they are for the coordinator, not for logs. */
  declare readonly disposition: Disposition;
  declare readonly askedForSeconds: number | undefined;

  constructor(
    disposition: Disposition,
    code: SalesforceRuntimeErrorCode,
    message: string,
    { askedForSeconds, ...options }: TokenRequestErrorOptions,
  ) {
    const retryAfterSeconds = askedForSeconds ?? (options.status === 503 ? 5 : undefined);
    super(code, message, { retryAfterSeconds, ...options });
    Object.defineProperty(this, 'disposition', { value: disposition });
    Object.defineProperty(this, 'askedForSeconds', { value: askedForSeconds });
  }
}

/** Requests of the token endpoint that differ in what its errors mean; `app` is every grant without a user's part in it. */
export type TokenGrantType = 'authorization_code' | 'refresh_token' | 'app';

const places = { authorization_code: 'code', refresh_token: 'refresh', app: 'app' } as const;

/** Turns an OAuth error reply (RFC 6749, section 5.2) into an error that says what it means for the grant. */
export function oauthError(
  grantType: TokenGrantType,
  reply: UpstreamError & { status: number; askedForSeconds: number | undefined },
): TokenRequestError {
  const { error, errorDescription, status, askedForSeconds } = reply;
  const found = classify(places[grantType], reply);
  const meaning = found === 'ignored' ? meanings.tokenEndpoint : found;
  return new TokenRequestError(meaning.disposition, meaning.code, operatorMessage(reply, meaning), {
    status: meaning.status,
    error,
    errorDescription,
    upstreamStatus: status,
    askedForSeconds,
  });
}
