import type { Request } from 'express';
import { GrantClient } from '../client/grant-client';
import { loggedOut } from '../coordinator/failures';
import { SalesforceAuthError } from '../errors';
import type { SessionAdoption } from './adoption';
import type { AuthContext } from './context';
import { RequestAccess, RequestLogin, wrongOrganization, type Access, type SalesforceLogin } from './logins';
import {
  entriesOf,
  entryOf,
  isSessionEnded,
  requireSession,
  sessionOf,
  writtenEntriesOf,
  type SessionEntry,
} from './session';
import { logOutSession, meant, noteMiddleware, switchTo } from './session-logins';
import { canAskSilently } from './silent-login';
import { findSession } from './stored-session';
import type { SalesforceUser } from './user';
import { mountPathOf } from './visit';

/** What `req.salesforce` can do whether or not a user is logged in. */
interface Common extends Access {
  /**
   * Whether a redirect to `salesforce.login({ silent: true })` can end with a login. False for five minutes after a silent login
   * of this browser has failed or gone on at another host of `publicUrl`; if the session has a login, or there is no session; if
   * a link of another site led here; and for anything but opening a page (GET).
   */
  readonly canLogInSilently: boolean;
  /** Id of the user's grant, for jobs. */
  readonly grantId: string | undefined;
  /** All logins of this session, the current one first; there is more than one after a login with `add`. */
  readonly logins: readonly SalesforceLogin[];
  /**
   * The login of an organization, or of a grant id; undefined if the session has none. Of several users of one
   * organization it is the current one, else the latest.
   */
  readonly for: (organizationOrGrantId: string) => SalesforceLogin | undefined;
  /**
   * Makes another login the current one, for this session. Rejects with `ERR_SALESFORCE_WRONG_ORGANIZATION` (403) if the
   * session has no login of that organization or grant id.
   */
  readonly switchTo: (organizationOrGrantId: string) => Promise<void>;
  /**
   * Logs a user in without a login page, by a refresh token that the application has had before, or by a grant that
   * `salesforce.tokens.adopt()` has made of it. As after a login, the session gets a new id, and `authorizeUser` and `onLogin`
   * are called. Take the token or the grant id from a place that only your server writes: it decides who is logged in.
   *
   * Rejects with `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` (401) if only a login page helps; with others (502, 503) if that
   * is not known yet.
   */
  readonly adopt: (adoption: SessionAdoption) => Promise<void>;
  /**
   * Logs this session out, all its logins or those of one `organization` (or grant id); with `everywhere` the users' other
   * sessions too. Revokes what ends.
   */
  readonly logout: (options?: { everywhere?: boolean | undefined; organization?: string | undefined }) => Promise<void>;
}

/** `req.salesforce` of a session that is logged in. Whether its grant still lives is known once a token is asked for. */
export interface AuthenticatedRequest extends Common {
  readonly isAuthenticated: true;
  readonly user: SalesforceUser;
}

/** `req.salesforce` without a login. */
interface AnonymousRequest extends Common {
  readonly isAuthenticated: false;
  readonly user: undefined;
}

/** What the middleware puts on each request. Test `isAuthenticated`, or use `salesforce.get(req)` behind a guard. */
export type SalesforceRequest = AuthenticatedRequest | AnonymousRequest;

/** `req.salesforce` behind a guard, with a valid token. */
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
export class RequestSalesforce extends RequestAccess implements Common {
  readonly #req: Request;
  readonly #core: AuthContext;
  #client: GrantClient | undefined;
  #entry: SessionEntry | undefined;
  /** Grant of the login a guard picked for this request, in place of the session's current one. */
  #picked: string | undefined;
  readonly #mountPath: string | undefined;
  /** The session as the request came: an application can end or renew it meanwhile. */
  readonly #formerSession: object | undefined;

  constructor(req: Request, core: AuthContext) {
    super();
    this.#req = req;
    this.#core = core;
    this.#mountPath = req.baseUrl;
    this.#formerSession = sessionOf(req);
  }

  /** Where the middleware is mounted, to build links to its routes. */
  get mountPath(): string {
    return mountPathOf(this.#mountPath);
  }

  /** @internal The session that the request had as it came here. Without one, the session could not be read. */
  get formerSession(): object | undefined {
    return this.#formerSession;
  }

  /** @internal The middleware this request went through. */
  get core(): AuthContext {
    return this.#core;
  }

  /** @internal The session's entry; read anew, since a session can be renewed while a request is served. */
  get entry(): SessionEntry | undefined {
    const { session } = this.#core.options;
    if (this.#picked === undefined) return entryOf(this.#req, session);
    return entriesOf(this.#req, session).find(({ grantId }) => grantId === this.#picked);
  }

  /** @internal Makes the session's login of an organization the one of this request, if there is one. */
  pick(organizationId: string): void {
    if (this.entry?.user.organizationId === organizationId) return;
    const [found] = meant(entriesOf(this.#req, this.#core.options.session), organizationId);
    if (found) this.#picked = found.grantId;
  }

  /** @internal The user's access, or undefined without a login. */
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

  get canLogInSilently(): boolean {
    return canAskSilently(this.#core, this.#req);
  }

  get user(): SalesforceUser | undefined {
    return this.entry?.user;
  }

  get grantId(): string | undefined {
    return this.entry?.grantId;
  }

  get logins(): readonly SalesforceLogin[] {
    const current = this.entry?.grantId;
    const entries = entriesOf(this.#req, this.#core.options.session);
    return entries.map((entry) => new RequestLogin(this.#core, entry, entry.grantId === current));
  }

  get for(): Common['for'] {
    return (which) => {
      const entries = meant(entriesOf(this.#req, this.#core.options.session), which);
      const current = this.entry?.grantId;
      const found = entries.find(({ grantId }) => grantId === current) ?? entries[0];
      this.#core.holders.extend(this.#req);
      return found && new RequestLogin(this.#core, found, found.grantId === current);
    };
  }

  get switchTo(): Common['switchTo'] {
    return async (which) => {
      const login = this.for(which);
      // Another request may have logged the session out since. To write it would bring it back.
      if (!login || (await findSession(this.#req)) === 'gone') throw wrongOrganization();
      await switchTo(this.#core, this.#req, login.grantId);
      this.#picked = undefined;
    };
  }

  get adopt(): Common['adopt'] {
    return async (adoption) => {
      const { adoptInSession } = await import('./adoption');
      await adoptInSession(this.#core, this.#req, adoption);
      this.#picked = undefined;
    };
  }

  get logout(): Common['logout'] {
    return async (options = {}) => logOutSession(this.#core, this.#req, options);
  }

  toJSON(): object {
    return { isAuthenticated: this.isAuthenticated };
  }

  protected open(): GrantClient {
    const { client } = this;
    if (client) {
      this.#core.holders.extend(this.#req);
      return client;
    }
    // The application has logged the user out in its own way.
    if (isSessionEnded(this.#req, this.#formerSession !== undefined)) throw notAuthenticated(this.#core);
    // Without a session it is not known whether the user is logged in.
    requireSession(this.#req);
    if (writtenEntriesOf(this.#req, this.#core.options.session).length === 0) throw notAuthenticated(this.#core);
    // Of a request that goes on, as that of a WebSocket.
    const error = loggedOut();
    noteMiddleware(error, this.#core);
    throw error;
  }
}

/** What a middleware put on a request under this name. */
export function attached(req: Request, property: string): RequestSalesforce | undefined {
  const value = (req as unknown as Record<string, unknown>)[property];
  return value instanceof RequestSalesforce ? value : undefined;
}

/** The session has no login of this middleware. */
export function notAuthenticated(core: AuthContext): SalesforceAuthError {
  const error = new SalesforceAuthError(
    'ERR_SALESFORCE_NOT_AUTHENTICATED',
    'No user is logged in with Salesforce in this session. Guard the route with requireSalesforce(), or test req.salesforce.isAuthenticated.',
    { status: 401 },
  );
  noteMiddleware(error, core);
  return error;
}
