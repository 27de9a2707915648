import { GrantClient } from '../client/grant-client';
import type { ConnectionOptions } from '../client/connection';
import type { JsforceConnection } from '../client/jsforce';
import { SalesforceAuthError } from '../errors';
import type { AuthContext } from './context';
import type { SessionEntry } from './session';
import type { SalesforceUser } from './user';

/** A user's access to Salesforce in a request, whichever of the session's logins it is. */
export interface Access {
  /**
   * The user's access token. Valid behind `requireSalesforce()` and after `getAccessToken()`; before that it may be
   * undefined, since attaching it waits for nothing.
   */
  readonly accessToken: string | undefined;
  /** Origin of the organization's API, known when `accessToken` is. */
  readonly instanceUrl: string | undefined;
  /** Granted scopes, known when `accessToken` is. */
  readonly scope: readonly string[] | undefined;
  /** A valid access token, refreshed if need be. Rejects with 401 without a login. */
  readonly getAccessToken: (options?: { rejected?: string | undefined }) => Promise<string>;
  /** `fetch` on the user's instance, with a valid token, tried once more if Salesforce says that the token has ended. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** The newest version of the REST API that the organization has, such as `68.0`; asked once a day. */
  readonly apiVersion: () => Promise<string>;
  /** A jsforce `Connection` that refreshes through the same coordinator. */
  readonly connection: (options?: ConnectionOptions) => Promise<JsforceConnection>;
  /**
   * A URL that opens a page of Salesforce in the user's browser without another login, once. Redirect the user to it at once;
   * neither log, store nor cache it.
   */
  readonly frontdoorUrl: (path?: string) => Promise<string>;
}

/** One of the logins of a session. */
export interface SalesforceLogin extends Access {
  readonly user: SalesforceUser;
  /** Id of the user's grant, for jobs. */
  readonly grantId: string;
  /** Whether it is the one `req.salesforce` stands for. */
  readonly isCurrent: boolean;
}

/** What the objects of a request have in common: state that is private, and getters that stand on the prototype. */
export abstract class RequestAccess implements Access {
  /** @internal The access of the request, or undefined without a login. */
  abstract get client(): GrantClient | undefined;

  /** Makes sure that the access can be used. */
  protected abstract open(): GrantClient;

  get accessToken(): string | undefined {
    return this.client?.accessToken;
  }

  get instanceUrl(): string | undefined {
    return this.client?.instanceUrl;
  }

  get scope(): readonly string[] | undefined {
    return this.client?.scope;
  }

  // Getters that bind, so that `const { fetch } = req.salesforce` works without a closure for every request.
  get getAccessToken(): Access['getAccessToken'] {
    return async (options) => this.open().getAccessToken(options);
  }

  get fetch(): Access['fetch'] {
    return async (input, init) => this.open().fetch(input, init);
  }

  get apiVersion(): Access['apiVersion'] {
    return async () => this.open().apiVersion();
  }

  get connection(): Access['connection'] {
    return async (options) => this.open().connection(options);
  }

  get frontdoorUrl(): Access['frontdoorUrl'] {
    return async (path) => this.open().frontdoorUrl(path);
  }
}

/** Any login of the session, the one of `req.salesforce` or another. */
export class RequestLogin extends RequestAccess implements SalesforceLogin {
  readonly #entry: SessionEntry;
  readonly #client: GrantClient;
  readonly #isCurrent: boolean;

  constructor(core: AuthContext, entry: SessionEntry, isCurrent: boolean) {
    super();
    this.#entry = entry;
    this.#client = new GrantClient(core.coordinator, entry);
    this.#isCurrent = isCurrent;
  }

  get client(): GrantClient {
    return this.#client;
  }

  get user(): SalesforceUser {
    return this.#entry.user;
  }

  get grantId(): string {
    return this.#entry.grantId;
  }

  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  protected open(): GrantClient {
    return this.#client;
  }

  toJSON(): object {
    const { user, grantId, isCurrent } = this;
    return { user, grantId, isCurrent };
  }
}

/** The session has no login of that organization. */
export function wrongOrganization(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_WRONG_ORGANIZATION',
    'This page is for users of another Salesforce organization. Log in with a user of that organization.',
    { status: 403 },
  );
}
