import type { TokenCoordinator } from '../coordinator/coordinator';
import type { GrantKey } from '../coordinator/grant';
import { loaded } from '../loaded';
import type { TokenSet } from '../token/types';
import { apiVersionOf } from './api-version';
import type { ConnectionOptions } from './connection';
import type { JsforceConnection } from './jsforce';
import { salesforceFetch } from './fetch';
import { addressAndOptions } from './request-input';

/** A user's access to Salesforce, always with a valid token; the same inside and outside of requests. */
export class GrantClient {
  readonly #coordinator: TokenCoordinator;
  readonly #key: GrantKey;
  #tokens: TokenSet | undefined;

  /** @internal */
  constructor(coordinator: TokenCoordinator, key: GrantKey) {
    this.#coordinator = coordinator;
    this.#key = key;
  }

  /** Id of the grant, for `salesforce.tokens.get()` in jobs. */
  get grantId(): string {
    return this.#key.grantId;
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

  /** @internal True if a valid token is at hand without waiting. */
  refreshNow(): boolean {
    const tokens = this.#coordinator.take(this.#key);
    if (tokens) this.#tokens = tokens;
    return tokens !== undefined;
  }

  /** @internal Makes sure of a valid token. */
  async ensure(rejected?: string): Promise<TokenSet> {
    this.#tokens = await this.#coordinator.get(this.#key, { rejected });
    return this.#tokens;
  }

  /**
   * A valid access token, refreshed if need be.
   *
   * @param options.rejected a token that Salesforce refused in a call of your own; you get another one
   * @throws SalesforceAuthError `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` (401) if the user has to log in again;
   *   others (502, or 503 with `retryAfterSeconds`) leave the user logged in
   */
  async getAccessToken(options: { rejected?: string | undefined } = {}): Promise<string> {
    return (await this.ensure(options.rejected)).accessToken;
  }

  /**
   * `fetch` on the user's instance: a path or URL there, with a valid token, tried once more with a new one after a 401
   * `INVALID_SESSION_ID` or 403 `Bad_OAuth_Token`, and at the new instance if the organization has moved. A streamed body is
   * sent once; that of a `Request` is read into memory, and can be sent again. Redirects are not followed, also with
   * `redirect: 'follow'`. A URL at a host of the option `apiHosts` goes there, in the same way after a 401. Of the headers of a
   * visitor's request, those of its connection, `host` and `cookie` are not sent.
   *
   * @throws TypeError for a request that cannot be sent
   * @throws SalesforceAuthError `ERR_SALESFORCE_FOREIGN_ORIGIN`; `ERR_SALESFORCE_JWT_TOKEN_NEEDED` at a host of `apiHosts` for an
   *   opaque token; `ERR_SALESFORCE_UNREACHABLE` or
   *   `ERR_SALESFORCE_CONNECTION_LOST` if the instance does not answer; and as {@link getAccessToken}
   */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const [address, options] = await addressAndOptions(input, init);
    return salesforceFetch(this.#coordinator, this.#key, address, options);
  }

  /**
   * A jsforce `Connection` that refreshes through the same coordinator.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_JSFORCE`, and as {@link getAccessToken}
   */
  async connection(options?: ConnectionOptions): Promise<JsforceConnection> {
    const { openConnection } = await loaded(() => import('./connection'));
    return openConnection(this.#coordinator, this.#key, options);
  }

  /**
   * The newest version of the REST API that the organization has, such as `68.0`, for paths such as
   * `/services/data/v68.0/limits`. The organization is asked once a day in each process.
   *
   * @throws SalesforceAuthError as {@link fetch}, and what `salesforceApiError()` makes of an answer that is no success
   */
  async apiVersion(): Promise<string> {
    const { instanceUrl } = await this.ensure();
    return apiVersionOf(this.#coordinator, { instanceUrl, fetch: (path) => this.fetch(path) });
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
    const { openFrontdoor } = await loaded(() => import('./frontdoor'));
    return openFrontdoor(this.#coordinator, this.#key, path);
  }

  #current(): TokenSet | undefined {
    return this.#coordinator.peek(this.#key) ?? this.#tokens;
  }

  /** None of its properties is data. */
  toJSON(): object {
    return { grantId: this.grantId };
  }
}
