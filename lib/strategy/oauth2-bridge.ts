import type { Configuration } from '../options/configuration';
import { endpointsOf } from '../salesforce/endpoints';
import type { TokenClient } from '../token/client';
import type { TokenEndpointReply } from '../token/types';

type Exchanged = (error: unknown, accessToken?: string, refreshToken?: string, reply?: TokenEndpointReply) => void;

/**
 * Stands where passport-oauth2 keeps its HTTP client (`_oauth2`), so that codes and refresh tokens go through
 * {@link TokenClient}: one path with a time limit, one error map. Helpers that borrow `_oauth2` to refresh work as well.
 */
export class OAuth2Bridge {
  /** Names that passport-oauth2 reads. */
  readonly _authorizeUrl: string;
  readonly _accessTokenUrl: string;
  readonly _clientId: string;
  readonly #client: () => TokenClient;
  readonly #judge: (reply: TokenEndpointReply) => Promise<void>;

  /** @param judge proves a reply before anybody sees it */
  constructor(
    configuration: Configuration,
    baseUrl: string,
    client: () => TokenClient,
    judge: (reply: TokenEndpointReply) => Promise<void> = () => Promise.resolve(),
  ) {
    const endpoints = endpointsOf(baseUrl);
    this._authorizeUrl = endpoints.authorization_endpoint;
    this._accessTokenUrl = endpoints.token_endpoint;
    this._clientId = configuration.clientID;
    this.#client = client;
    this.#judge = judge;
  }

  /** passport-oauth2's exchange, callback and all. */
  getOAuthAccessToken(code: string, params: Record<string, string>, done: Exchanged): void {
    const request =
      params['grant_type'] === 'refresh_token'
        ? this.#client().refreshTokenGrant(code)
        : this.#client().authorizationCodeGrant({
            code,
            redirectURI: params['redirect_uri'] ?? '',
            codeVerifier: params['code_verifier'] ?? '',
          });
    request
      .then(async (reply) => {
        await this.#judge(reply);
        return reply;
      })
      .then(
        (reply) => {
          done(null, reply.access_token, reply.refresh_token, reply);
        },
        (error: unknown) => {
          done(error);
        },
      );
  }
}
