import type { Request, RequestHandler } from 'express';
import { healthOf } from '../coordinator/health';
import { idleUntilOf } from '../coordinator/keep-alive';
import { errorFrom, SalesforceAuthError } from '../errors';
import type { AuthContext } from './context';
import { entriesOf, entryOf, leaveSessionAsItIs, requireSession, type SessionEntry } from './session';
import type { SalesforceUser } from './user';
import { isCrossSite } from './visit';

/** One login of the session, as the status route tells it. */
interface LoginStatus {
  user: SalesforceUser;
  isCurrent: boolean;
  /** Whether only a login helps. Requests may still work for a while. */
  loginNeeded: boolean;
  /** When Salesforce ends the login if it is not used before, in ISO 8601; null without such a limit. */
  idleUntil: string | null;
}

/** What the status route answers, for pages that are built in the browser. */
export interface Status {
  /** Whether the session has a current login that is not logged out. */
  authenticated: boolean;
  /** The user of the current login, or null. */
  user: SalesforceUser | null;
  /** Whether the user has to log in, now or as soon as the access token stops working. */
  loginNeeded: boolean;
  /** That of the current login. */
  idleUntil: string | null;
  /** All logins of the session that are not logged out, one for each organization and user. */
  organizations: LoginStatus[];
}

/**
 * Answers how the login of a session is. It asks the token store and not Salesforce, refreshes nothing and extends nothing: a page
 * that asks again and again keeps neither session nor login alive.
 */
export function statusRoute(core: AuthContext): RequestHandler {
  return (req, res, next) => {
    res.set({
      'Cache-Control': 'no-store',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    });
    if (isCrossSite(req, core.options.addresses, true)) {
      next(ofAnotherSite());
      return;
    }
    leaveSessionAsItIs(req);
    statusOf(core, req)
      .then((status) => {
        res.json(status);
      })
      .catch((error: unknown) => {
        next(errorFrom(error));
      });
  };
}

async function statusOf(core: AuthContext, req: Request): Promise<Status> {
  const { session } = core.options;
  requireSession(req);
  const current = entryOf(req, session)?.holder;
  const all = await Promise.all(
    entriesOf(req, session).map((entry) => loginStatusOf(core, entry, entry.holder === current)),
  );
  const organizations = all.filter((login) => login !== undefined);
  const own = organizations.find(({ isCurrent }) => isCurrent);
  return {
    authenticated: own !== undefined,
    user: own?.user ?? null,
    loginNeeded: own?.loginNeeded ?? true,
    idleUntil: own?.idleUntil ?? null,
    organizations,
  };
}

/** Undefined for a login that was logged out elsewhere. */
async function loginStatusOf(
  { coordinator, options }: AuthContext,
  { grantId, generation, user }: SessionEntry,
  isCurrent: boolean,
): Promise<LoginStatus | undefined> {
  const { clock, settings } = options;
  const record = await coordinator.access.read(grantId);
  if (record?.generation !== generation || record.state === 'loggedOut') return undefined;
  const loginNeeded = healthOf(record, clock).health === 'loginNeeded';
  const idleUntil = idleUntilOf(record, settings, clock)?.toISOString() ?? null;
  return { user, isCurrent, loginNeeded, idleUntil };
}

function ofAnotherSite(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CROSS_SITE',
    'A page of another site asked how the login is. Only pages of the application itself are told.',
    { status: 403 },
  );
}
