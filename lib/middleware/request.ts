import type { Request } from 'express';
import { GrantClient } from '../client/grant-client';
import type { ConnectionOptions, JsforceConnection } from '../client/connection';
import { SalesforceAuthError } from '../errors';
import type { AuthCore } from './core';
import { entryOf, type SessionEntry } from './session';
import type { SalesforceUser } from './user';

/** What `req.salesforce` can do whether or not a user is logged in. */
interface Common {
  /** Id of the user's grant, for jobs. */
  readonly grantId: string | undefined;
  /**
   * The user's access token. Valid behind `requireSalesforce()` and after `getAccessToken()`; before that it may be
   * undefined, since attaching it waits for nothing.
   */
  readonly accessToken: string | undefined;
  /** Origin of the organization's API, known when `accessToken` is. */
  readonly instanceUrl: string | undefined;
  /** Granted scopes, known when `accessToken` is. */
  readonly scope: readonly string[] | undefined;
  /** A valid access token, refreshed if need be. Rejects with 401 where nobody is logged in. */
  readonly getAccessToken: (options?: { rejected?: string }) => Promise<string>;
  /** `fetch` on the user's instance, with a valid token, tried once more where Salesforce says it has ended. */
  readonly fetch: (input: string | URL, init?: RequestInit) => Promise<Response>;
  /** A jsforce `Connection` that refreshes through the same coordinator. */
  readonly connection: (options?: ConnectionOptions) => Promise<JsforceConnection>;
  /** Logs this session out, or with `everywhere` all sessions of the user, and revokes what ends. */
  readonly logout: (options?: { everywhere?: boolean }) => Promise<void>;
}

/** `req.salesforce` of a session that is logged in. Whether its grant still lives is known once a token is asked for. */
export interface AuthenticatedRequest extends Common {
  readonly isAuthenticated: true;
  readonly user: SalesforceUser;
}

/** `req.salesforce` where nobody is logged in. */
export interface AnonymousRequest extends Common {
  readonly isAuthenticated: false;
  readonly user: undefined;
}

/** What the middleware puts on each request. Test `isAuthenticated`, or use `salesforce.get(req)` behind a guard. */
export type SalesforceRequest = AuthenticatedRequest | AnonymousRequest;

/** `req.salesforce` behind a guard, where a valid token is at hand. */
export interface GuardedRequest extends AuthenticatedRequest {
  readonly grantId: string;
  readonly accessToken: string;
  readonly instanceUrl: string;
  readonly scope: readonly string[];
}

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- how Express's types are extended
  namespace Express {
    interface Request {
      /** The Salesforce user of this request, put there by `salesforceAuth()`. */
      salesforce: SalesforceRequest;
    }
  }
}

/**
 * The object behind `req.salesforce`: reads the session when asked and waits for nothing when attached.
 *
 * Its state is private and its getters stand on the prototype, so that neither `JSON.stringify` nor `util.inspect` of a
 * request shows a token.
 */
export class RequestSalesforce implements Common {
  readonly #req: Request;
  readonly #core: AuthCore;
  #client: GrantClient | undefined;
  #entry: SessionEntry | undefined;
  /** Where the middleware is mounted, to build links to its routes. */
  readonly mountPath: string;

  constructor(req: Request, core: AuthCore) {
    this.#req = req;
    this.#core = core;
    this.mountPath = req.baseUrl;
    Object.defineProperty(this, 'mountPath', { enumerable: false });
  }

  /** @internal The middleware this request went through. */
  get core(): AuthCore {
    return this.#core;
  }

  /** @internal The session's entry; read anew, since a session can be renewed while a request is served. */
  get entry(): SessionEntry | undefined {
    return entryOf(this.#req, this.#core.options.sessionKey);
  }

  /** @internal The user's access, or undefined where nobody is logged in. */
  get client(): GrantClient | undefined {
    const { entry } = this;
    if (!entry) this.#client = undefined;
    else if (!this.#client || this.#entry?.grantId !== entry.grantId || this.#entry.generation !== entry.generation) {
      this.#client = new GrantClient(this.#core.coordinator, entry);
    }
    this.#entry = entry;
    return this.#client;
  }

  get isAuthenticated(): boolean {
    return this.entry !== undefined;
  }

  get user(): SalesforceUser | undefined {
    return this.entry?.user;
  }

  get grantId(): string | undefined {
    return this.entry?.grantId;
  }

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
  get getAccessToken(): Common['getAccessToken'] {
    return async (options) => (await this.#require()).getAccessToken(options);
  }

  get fetch(): Common['fetch'] {
    return async (input, init) => (await this.#require()).fetch(input, init);
  }

  get connection(): Common['connection'] {
    return async (options) => (await this.#require()).connection(options);
  }

  get logout(): Common['logout'] {
    return async (options = {}) => this.#core.logout(this.#req, options.everywhere === true);
  }

  toJSON(): object {
    return { isAuthenticated: this.isAuthenticated };
  }

  async #require(): Promise<GrantClient> {
    const { client, entry } = this;
    if (!client || !entry) throw notAuthenticated();
    await this.#core.learnClient(this.#req, entry);
    return client;
  }
}

/** Nobody is logged in in this session. */
export function notAuthenticated(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_NOT_AUTHENTICATED',
    'Nobody is logged in with Salesforce in this session. Guard the route with requireSalesforce(), or test req.salesforce.isAuthenticated.',
    { status: 401 },
  );
}
