import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { Passport } from 'passport';
import { debugLogin } from '../debug';
import { isSalesforceAuthError, SalesforceAuthError, SalesforceOptionError } from '../errors';
import { checkNames, invalid } from '../options/check';
import { parseDisplay, parsePrompt } from '../options/configuration';
import { parseRequestedBaseUrl } from '../salesforce/base-url';
import { provenLogins, type ProvenLogin } from '../strategy/attempt';
import { transactionKeys, type AuthenticateOptions } from '../strategy/options';
import type { SalesforceProfile } from '../strategy/profile';
import { SalesforceStrategy } from '../strategy/strategy';
import type { TokenSet } from '../token/types';
import type { AuthCore } from './core';
import { countLogin } from './login-loop';
import { safeReturnTo } from './return-to';
import { entryOf, referenceMsOf, renewSession, requireSession, saveSession, writeEntry } from './session';
import { userOf, type SalesforceUser } from './user';

/** What a login handler can set; what it leaves out comes from the request's query or the configuration. */
export interface LoginOptions extends Pick<
  AuthenticateOptions,
  'prompt' | 'display' | 'loginHint' | 'scope' | 'baseUrl' | 'authorizationParams'
> {
  /** Path to return to; anything but a path on this origin is ignored. Default: `returnTo` of the query, else `homePath`. */
  returnTo?: string | undefined;
}

const loginOptionNames = [
  'prompt',
  'display',
  'loginHint',
  'scope',
  'baseUrl',
  'authorizationParams',
  'returnTo',
] as const satisfies readonly (keyof LoginOptions)[];

/** Passport's name for the strategy of a middleware, in a Passport of its own. */
const strategyName = 'salesforce';

/** What the verify function hands to the callback. */
interface Verified {
  proven: ProvenLogin;
  profile: SalesforceProfile;
}

/** The two ends of a login. */
export class LoginRoutes {
  readonly #core: AuthCore;
  // A Passport of its own: the application's may know another strategy of that name.
  readonly #passport: InstanceType<typeof Passport>;

  constructor(core: AuthCore) {
    this.#core = core;
    this.#passport = new Passport();
    const { source, secrets, clock } = core.options;
    const strategy = new SalesforceStrategy(
      {
        source,
        clock,
        name: strategyName,
        transactionKeys: transactionKeys(secrets, source),
        passReqToCallback: false,
        skipUserProfile: false,
        onAbandoned: (tokens) => void this.#revoke(tokens),
      },
      // Passport counts the parameters: with fewer than five there would be no params.
      (_accessToken, _refreshToken, params, profile, done) => {
        const proven = provenLogins.get(params);
        if (!proven) done(new Error('The login came back without proof.'));
        else done(null, { proven, profile });
      },
    );
    this.#passport.use(strategyName, strategy);
  }

  /**
   * A route handler that sends the browser to Salesforce.
   *
   * @throws SalesforceOptionError here and now for a wrong option
   */
  begin(options: LoginOptions = {}): RequestHandler {
    checkNames(options, loginOptionNames, 'login()');
    parsePrompt(options.prompt);
    parseDisplay(options.display);
    return (req, res, next) => {
      this.#begin(req, res, next, options).catch(next);
    };
  }

  async #begin(req: Request, res: Response, next: NextFunction, options: LoginOptions): Promise<void> {
    requireSession(req);
    res.set('Cache-Control', 'no-store');
    const { returnTo, ...given } = options;
    const loginHint = given.loginHint ?? textOf(req.query['login_hint']);
    const baseUrl = given.baseUrl ?? (await this.#chosenBaseUrl(req));
    const authenticate: AuthenticateOptions = {
      ...given,
      ...(loginHint === undefined ? {} : { loginHint }),
      ...(baseUrl === undefined ? {} : { baseUrl }),
      state: { returnTo: safeReturnTo(returnTo ?? req.query['returnTo']) },
    };
    (this.#passport.authenticate(strategyName, { session: false, ...authenticate } as never) as RequestHandler)(
      req,
      res,
      next,
    );
  }

  /** The base URL named by `org` in the query: one of the `organizations`, or a My Domain on a trusted host. */
  async #chosenBaseUrl(req: Request): Promise<string | undefined> {
    const org = textOf(req.query['org']);
    if (org === undefined) return undefined;
    const { organizations, trustedHosts } = await this.#core.options.source.resolve({ req });
    if (Object.hasOwn(organizations, org)) return organizations[org];
    try {
      return parseRequestedBaseUrl(/^https?:/.test(org) ? org : `https://${org}`, trustedHosts);
    } catch (error) {
      if (!(error instanceof SalesforceOptionError)) throw error;
      const names = Object.keys(organizations);
      const known = names.length === 0 ? '' : `one of ${names.join(', ')}, or `;
      throw new SalesforceOptionError(
        error.code,
        'org',
        invalid('org', `${known}a My Domain such as example.my.salesforce.com`).message,
        400,
      );
    }
  }

  /** The route Salesforce sends the browser back to. Whatever fails, the session stays as it was. */
  readonly end: RequestHandler = (req, res, next) => {
    res.set('Cache-Control', 'no-store');
    if (req.query['code'] === undefined && req.query['error'] === undefined && req.query['state'] === undefined) {
      next(
        new SalesforceAuthError(
          'ERR_SALESFORCE_STATE_MISSING',
          'The callback was opened without the answer of a login. Start the login from the application.',
          { status: 403 },
        ),
      );
      return;
    }
    const done = (error: unknown, verified?: Verified | false | null, info?: unknown): void => {
      if (error || !verified) {
        next(asError(error ?? info));
        return;
      }
      const { state } = (info ?? {}) as { state?: { returnTo?: unknown } };
      this.#complete(req, res, verified, safeReturnTo(state?.returnTo)).catch(next);
    };
    (this.#passport.authenticate(strategyName, { session: false }, done) as RequestHandler)(req, res, next);
  };

  async #complete(req: Request, res: Response, verified: Verified, returnTo: string | undefined): Promise<void> {
    const { options, grants } = this.#core;
    const { tokens, configuration } = verified.proven;
    const user = userOf(verified.profile);
    const grantId = grants.idOf(tokens);
    let hold;
    try {
      requireSession(req);
      await this.#authorize(user, req);
      hold = await grants.establish(tokens, configuration.sessionTimeoutSeconds, referenceMsOf(req));
    } catch (error) {
      void this.#revoke(tokens);
      throw error;
    }
    const previous = entryOf(req, options.sessionKey);
    try {
      await renewSession(req, options.keepSessionInfo);
      const extendAt = options.clock.now() + referenceMsOf(req) / 2;
      writeEntry(req, options.sessionKey, { ...hold, user, extendAt });
      await options.onLogin?.({ req, user, grantId });
      await saveSession(req);
    } catch (error) {
      writeEntry(req, options.sessionKey, undefined);
      await grants.release(hold, false).catch(() => undefined);
      throw error;
    }
    // The session's former hold, perhaps of another user, goes with the former session.
    if (previous) grants.release(previous, false).catch(() => undefined);
    debugLogin('%s logged in', grantId);
    const target = returnTo ?? options.homePath;
    countLogin(req, res, target);
    res.redirect(target);
  }

  async #authorize(user: SalesforceUser, req: Request): Promise<void> {
    const { allowedOrganizations, authorizeUser } = this.#core.options;
    if (allowedOrganizations && !allowedOrganizations.includes(user.organizationId)) {
      throw new SalesforceAuthError(
        'ERR_SALESFORCE_ORGANIZATION_NOT_ALLOWED',
        'Users of this Salesforce organization may not log in here. Log in with a user of another organization.',
        { status: 403 },
      );
    }
    if (authorizeUser && !(await authorizeUser(user, req))) {
      throw new SalesforceAuthError(
        'ERR_SALESFORCE_USER_NOT_ALLOWED',
        'This Salesforce user may not log in here. Ask the operator of the application for access.',
        { status: 403 },
      );
    }
  }

  /** Revokes tokens of a login that came to nothing; an existing grant of the user keeps its own. */
  async #revoke(tokens: TokenSet): Promise<void> {
    const { grants, revocations, coordinator } = this.#core;
    const grantId = grants.idOf(tokens);
    const kept = await coordinator.access.open(grantId).catch(() => undefined);
    await revocations.revoke(grantId, tokens, kept?.tokens);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 255 ? value : undefined;
}

/** Passport says `fail` with a challenge where it means an error; ours are errors already. */
function asError(failure: unknown): unknown {
  if (failure instanceof Error || isSalesforceAuthError(failure)) return failure;
  return new SalesforceAuthError('ERR_SALESFORCE_AUTHORIZATION', 'The login failed. Start it again.', { status: 401 });
}
