import type { TokenCoordinator } from '../coordinator/coordinator';
import type { GrantReference } from '../coordinator/grant';
import type { TokenSet } from '../token/types';
import { openConnection, type ConnectionOptions, type JsforceConnection } from './connection';
import { salesforceFetch } from './fetch';

/** A user's access to Salesforce, always with a valid token; the same inside and outside of requests. */
export class GrantClient {
  readonly #coordinator: TokenCoordinator;
  readonly #reference: GrantReference;
  #tokens: TokenSet | undefined;

  /** @internal */
  constructor(coordinator: TokenCoordinator, reference: GrantReference) {
    this.#coordinator = coordinator;
    this.#reference = reference;
  }

  /** Id of the grant, for `salesforce.tokens.get()` in jobs. */
  get grantId(): string {
    return this.#reference.grantId;
  }

  /** The access token as of the last call that made sure of one; undefined before any did. */
  get accessToken(): string | undefined {
    return this.#current()?.accessToken;
  }

  /** Origin of the organization's API, known when {@link accessToken} is. */
  get instanceUrl(): string | undefined {
    return this.#current()?.instanceUrl;
  }

  /** Granted scopes, known when {@link accessToken} is. */
  get scope(): readonly string[] | undefined {
    return this.#current()?.scope;
  }

  /** @internal True where a valid token is at hand without waiting. */
  refreshNow(): boolean {
    const tokens = this.#coordinator.take(this.#reference);
    if (tokens) this.#tokens = tokens;
    return tokens !== undefined;
  }

  /** @internal Makes sure of a valid token. */
  async ensure(rejected?: string): Promise<TokenSet> {
    this.#tokens = await this.#coordinator.get(this.#reference, { rejected });
    return this.#tokens;
  }

  /**
   * A valid access token, refreshed if need be.
   *
   * @param options.rejected a token Salesforce refused, where you call it yourself; you get another one
   * @throws SalesforceAuthError `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` (401) where the user has to log in again;
   *   others (502, or 503 with `retryAfterSeconds`) leave the user logged in
   */
  async getAccessToken(options: { rejected?: string } = {}): Promise<string> {
    return (await this.ensure(options.rejected)).accessToken;
  }

  /**
   * `fetch` on the user's instance: a path or URL there, with a valid token, tried once more with a new one after a 401
   * `INVALID_SESSION_ID` or 403 `Bad_OAuth_Token`, and at the new instance if the organization has moved. A streamed body is
   * sent once. Redirects are not followed.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_FOREIGN_ORIGIN`; `ERR_SALESFORCE_UNREACHABLE` or
   *   `ERR_SALESFORCE_CONNECTION_LOST` if the instance does not answer; and as {@link getAccessToken}
   */
  async fetch(input: string | URL, init?: RequestInit): Promise<Response> {
    return salesforceFetch(this.#coordinator, this.#reference, input, init);
  }

  /**
   * A jsforce `Connection` that refreshes through the same coordinator.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_JSFORCE_MISSING`, `ERR_SALESFORCE_JSFORCE_UNUSABLE`, and as {@link getAccessToken}
   */
  async connection(options?: ConnectionOptions): Promise<JsforceConnection> {
    return openConnection(this.#coordinator, this.#reference, options);
  }

  /**
   * A URL that opens Salesforce in the user's browser without another login, once. It is as good as a password: redirect the user
   * to it at once, and neither log, store nor cache it.
   *
   * @param path a path in the organization, for instance `/lightning/r/Account/001…/view`. Default `/`
   * @throws SalesforceAuthError `ERR_SALESFORCE_FOREIGN_ORIGIN`; `ERR_SALESFORCE_INSUFFICIENT_SCOPE` without the scope `web`,
   *   `ERR_SALESFORCE_OPAQUE_TOKEN_NEEDED`, `ERR_SALESFORCE_USER_INTERFACE_DENIED`; and as {@link fetch}
   */
  async frontdoorUrl(path = '/'): Promise<string> {
    const { openFrontdoor } = await import('./frontdoor');
    return openFrontdoor(this.#coordinator, this.#reference, path);
  }

  #current(): TokenSet | undefined {
    return this.#coordinator.peek(this.#reference) ?? this.#tokens;
  }

  /** Nothing of it is data. */
  toJSON(): object {
    return { grantId: this.grantId };
  }
}
