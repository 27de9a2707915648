import type { Request } from 'express';
import { debugLogin } from '../debug';
import type { GrantHolder } from '../coordinator/grants';
import { errorFrom, isSalesforceAuthError, SalesforceAuthError } from '../errors';
import type { ProvenLogin } from '../login/finish';
import { invalid } from '../options/check';
import { setCookies } from '../login/cookies';
import { cookiesAfterLogout } from '../login/transactions';
import type { AuthContext } from './context';
import {
  entriesIn,
  entriesOf,
  entryOf,
  hasSession,
  keptState,
  renewSession,
  requireSession,
  saveSession,
  sessionOf,
  stateWith,
  writeState,
  type SessionState,
} from './session';
import { holderMsOf, sessionMsOf } from './session-life';
import type { LoginHold } from './overlapping-logins';
import type { SalesforceUser } from './user';

/** Logins one session can have; with one more, the oldest is logged out. */
const maxLogins = 10;

/** Names of the logins a session has as a login begins that is to be added to them. */
export function holdersOf(req: Request, core: AuthContext): string[] {
  return entriesOf(req, core.options.session).map(({ holder }) => holder);
}

/** A proven login and its user. */
export interface ProvenUser {
  login: ProvenLogin;
  user: SalesforceUser;
}

/** What a session gets: a holder of a grant, and the user. */
export interface SessionLogin extends GrantHolder {
  user: SalesforceUser;
  tenant: string | undefined;
}

/** A login that a session is to get. */
export interface SessionChange {
  session: SessionLogin;
  /**
   * Holders of the session the login is to be added to. Without one that is still in the session, the login replaces what the
   * session has.
   */
  addTo: readonly string[] | undefined;
}

interface HeldChange extends SessionChange {
  /** Asked if the session does not get the login: whether the hold is of this request alone, and ends with it. */
  isOwnHold: () => boolean;
}

/**
 * Makes a session of a proven login: asks whether the user may log in, stores the tokens, renews the session.
 *
 * If any step fails, the tokens are revoked and the session's logins stay unchanged.
 *
 * @param addTo holders of the session the login is to be added to. Without one that is still in the session, the login
 *   replaces what the session has
 */
export async function createSession(
  core: AuthContext,
  req: Request,
  { login, user, addTo }: ProvenUser & { addTo: readonly string[] | undefined },
): Promise<SessionLogin> {
  const { grants } = core;
  const { tokens, configuration } = login;
  let session: SessionLogin;
  let hold: LoginHold;
  try {
    requireSession(req);
    await authorize(core, user, req);
    const { sessionTimeoutSeconds } = configuration;
    const established = await grants.establish(tokens, { sessionTimeoutSeconds, holderMs: holderMsOf(req) });
    hold = core.overlapping.holdOf(req, established);
    const { holder } = hold;
    if (holder !== established.holder) {
      await core.holders.hold(req, { ...established, holder });
      void grants.removeHolder(established);
    }
    session = { ...established, holder, user, tenant: tokens.tenant };
  } catch (error) {
    void grants.discard(tokens);
    throw error;
  }
  await putInSession(core, req, { session, addTo, isOwnHold: hold.giveUp });
  return session;
}

/**
 * Puts a login that another request has finished into the session of this request, as the same holder: a browser that opened the
 * callback twice keeps only the answer to its last request.
 *
 * @returns false if the login is over, or its grant has begun anew since
 */
export async function joinSession(core: AuthContext, req: Request, given: SessionChange): Promise<boolean> {
  requireSession(req);
  const { session } = given;
  const { session: place } = core.options;
  // The Back button, or a reload: the session has the login.
  if (entriesOf(req, place).some(({ holder }) => holder === session.holder) || isCurrent(core, req, session))
    return true;
  if (place.ended.isOver(session.holder)) return false;
  await authorize(core, session.user, req);
  // The first request holds the grant, so it stays held if this one fails.
  return hold(core, req, { ...given, isOwnHold: () => false });
}

/** Puts an adopted grant into the session of a request. @returns false if the grant is over, or has begun anew since */
export function adoptSession(core: AuthContext, req: Request, given: SessionChange): Promise<boolean> {
  return hold(core, req, { ...given, isOwnHold: () => true });
}

/** Whether the session is that of a user with this very grant. */
function isCurrent({ options }: AuthContext, req: Request, { grantId, generation }: GrantHolder): boolean {
  const entry = entryOf(req, options.session);
  return entry?.grantId === grantId && entry.generation === generation;
}

async function hold(core: AuthContext, req: Request, change: HeldChange): Promise<boolean> {
  if (isCurrent(core, req, change.session)) return true;
  if (!(await core.grants.addHolder(change.session, holderMsOf(req)))) return false;
  await putInSession(core, req, change);
  return true;
}

async function putInSession(
  core: AuthContext,
  req: Request,
  { session, addTo = [], isOwnHold }: HeldChange,
): Promise<void> {
  const { options, grants, holders } = core;
  const { session: place, onLogin } = options;
  const { tenant, ...entry } = session;
  const { grantId, user } = entry;
  // A session has the logins of one tenant, and they go when those of another one come.
  const former = keptState(place, sessionOf(req));
  const formerEntries = entriesIn(former).filter(({ holder }) => !place.ended.has(holder));
  const entries = entriesOf(req, place);
  // During the login, the session may have been logged out, and logged in by another user.
  const isSame = entries.some(({ holder }) => addTo.includes(holder));
  const others = isSame ? entries.filter((other) => other.grantId !== grantId).slice(0, maxLogins - 1) : [];
  const stateNow = (): SessionState =>
    stateWith(entry, others, { extendAt: options.clock.now() + sessionMsOf(req) / 2, tenant });
  const heldMs = holderMsOf(req);
  try {
    await renewSession(req, options.keepSessionInfo);
    writeState(req, place, stateNow());
    await onLogin?.({ req, user, grantId });
    // `req.login()` of the application's Passport renews the session once more, and drops its content.
    writeState(req, place, stateNow());
    // The new session may have another life, or `onLogin` has given it one, as "remember me" does.
    if (holderMsOf(req) !== heldMs) await holders.hold(req, entry);
    await saveSession(req);
  } catch (error) {
    if (hasSession(req)) writeState(req, place, former);
    if (isOwnHold()) await grants.removeHolder(entry);
    throw errorFrom(error);
  }
  for (const other of others) grants.addHolder(other, holderMsOf(req)).catch(() => undefined);
  // The former content of the session, perhaps of another user, is dropped with it.
  const dropped = formerEntries.filter((old) => !others.includes(old) && old.holder !== entry.holder);
  for (const old of dropped) {
    place.ended.noteReplaced(old.holder);
    void grants.removeHolder(old);
  }
  // The Back button must not bring the former user back.
  const isOther = dropped.some((old) => old.grantId !== grantId);
  if (isOther && req.res?.headersSent === false) setCookies(req.res, cookiesAfterLogout(req, options.clock.now()));
  debugLogin('%s logged in', grantId);
}

/** Asks whether a user may log in. @throws SalesforceAuthError, or what the application throws */
export async function authorize(core: AuthContext, user: SalesforceUser, req: Request): Promise<void> {
  assertOrganization(core, user);
  const { authorizeUser } = core.options;
  if (authorizeUser && !(await isAuthorized(() => authorizeUser(user, req)))) {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_USER_NOT_ALLOWED',
      'This Salesforce user may not log in here. Ask the operator of the application for access.',
      { status: 403 },
    );
  }
}

/** @throws SalesforceAuthError `ERR_SALESFORCE_ORGANIZATION_NOT_ALLOWED` */
export function assertOrganization({ options }: AuthContext, { organizationId }: { organizationId: string }): void {
  if (options.allowedOrganizations?.includes(organizationId) ?? true) return;
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_ORGANIZATION_NOT_ALLOWED',
    `Users of the Salesforce organization ${organizationId} may not log in here. Log in with a user of another organization.`,
    { status: 403 },
  );
}

/** The application's answer. Anything that it throws becomes an error, since Express takes `next(undefined)` for success. */
async function isAuthorized(ask: () => boolean | Promise<boolean>): Promise<boolean> {
  let answer: unknown;
  try {
    answer = await ask();
  } catch (error) {
    if (isSalesforceAuthError(error) && error.code === 'ERR_SALESFORCE_NOT_AUTHENTICATED') throw usedTooEarly(error);
    throw errorFrom(error);
  }
  // An object, such as a record of the user, is not the answer `true`, and must not let the user in.
  if (typeof answer === 'boolean') return answer;
  throw invalid('authorizeUser', `a function that gives true or false, or promises it; it gave ${typeof answer}`);
}

function usedTooEarly(cause: unknown): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CONFIGURATION',
    'authorizeUser used req.salesforce too early: authorizeUser is called before there is a login. Use its first parameter, which ' +
      'is the user. To ask Salesforce about the user, use onLogin: req.salesforce works there, and the login is refused if onLogin throws.',
    { cause },
  );
}
