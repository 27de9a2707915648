import type { Clock } from '../clock';
import type { Configuration } from '../options/configuration';
import { SalesforceAuthError } from '../errors';
import { TokenClient } from '../token/client';

/** What passport-oauth2 keeps as `_oauth2`, as far as it is used here. */
interface OAuth2Client {
  useAuthorizationHeaderforGET(useIt: boolean): void;
}

type Done = (error: unknown, accessToken?: string, refreshToken?: string, reply?: object) => void;

/**
 * Changes the `_oauth2` of passport-oauth2 so that it sends nothing by itself. Its token requests go through
 * {@link TokenClient}, which has a time limit and the errors of this package.
 *
 * Helpers such as passport-oauth2-refresh borrow the function alone and put it on an object of their own. So the function
 * depends on no `this`.
 */
export function routeTokenRequests(oauth2: OAuth2Client, configuration: Configuration | undefined, clock: Clock): void {
  const getOAuthAccessToken = (code: string, params: Record<string, string>, done: Done): void => {
    if (!configuration) {
      done(notFixed());
      return;
    }
    const client = new TokenClient(configuration, configuration.baseUrl, clock);
    const request =
      params['grant_type'] === 'refresh_token'
        ? client.refreshTokenGrant(code)
        : client.authorizationCodeGrant({
            code,
            redirectURI: params['redirect_uri'] ?? '',
            codeVerifier: params['code_verifier'] ?? '',
          });
    request.then(
      (reply) => {
        done(null, reply.access_token, reply.refresh_token, reply);
      },
      (error: unknown) => {
        done(error);
      },
    );
  };
  Object.assign(oauth2, { getOAuthAccessToken });
  // node-oauth would put access tokens into the query of a request.
  oauth2.useAuthorizationHeaderforGET(true);
}

function notFixed(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CONFIGURATION',
    'The client of this strategy is a function of the tenant, so its tokens cannot be refreshed through _oauth2.',
  );
}
