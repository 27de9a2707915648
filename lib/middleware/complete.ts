import type { Request } from 'express';
import { debugLogin } from '../debug';
import { SalesforceAuthError } from '../errors';
import type { ProvenLogin } from '../strategy/attempt';
import type { SalesforceProfile } from '../strategy/profile';
import type { AuthCore } from './core';
import {
  entriesOf,
  hasSession,
  referenceMsOf,
  renewSession,
  requireSession,
  saveSession,
  stateOf,
  stateWith,
  writeState,
  type SessionEntry,
} from './session';
import { userOf, type SalesforceUser } from './user';

/** A login that came back proven, and whose it is. */
export interface Verified {
  proven: ProvenLogin;
  profile: SalesforceProfile;
}

/** Logins one session can have; with one more, the oldest is logged out. */
const maxLogins = 10;

/** Names of the logins a session has as a login begins that is to be added to them. */
export function holdsOf(req: Request, core: AuthCore): string[] {
  return entriesOf(req, core.options.sessionKey).map(({ reference }) => reference);
}

/**
 * Makes a session of a proven login: asks whether the user may log in, stores the tokens, renews the session.
 *
 * Whatever fails, the tokens are revoked and the session's logins are what they were.
 *
 * @param addTo holds of the session the login is to be added to; where none of them is left in the session, or without
 *   it, the login replaces what the session has
 */
export async function completeLogin(
  core: AuthCore,
  req: Request,
  { proven, profile }: Verified,
  addTo: readonly string[] = [],
): Promise<void> {
  const { options, grants } = core;
  const { sessionKey } = options;
  const { tokens, configuration } = proven;
  const user = userOf(profile);
  const grantId = grants.idOf(tokens);
  let hold;
  try {
    requireSession(req);
    await authorize(core, user, req);
    hold = await grants.establish(tokens, configuration.sessionTimeoutSeconds, referenceMsOf(req));
  } catch (error) {
    void grants.discard(tokens);
    throw error;
  }
  const former = stateOf(req, sessionKey);
  const entries = entriesOf(req, sessionKey);
  // The session may have been logged out, and in by somebody else, while the login was under way.
  const isSame = entries.some(({ reference }) => addTo.includes(reference));
  const others = isSame ? entries.filter((entry) => entry.grantId !== grantId).slice(0, maxLogins - 1) : [];
  const state = stateWith({ ...hold, user }, others, options.clock.now() + referenceMsOf(req) / 2);
  try {
    await renewSession(req, options.keepSessionInfo);
    writeState(req, sessionKey, state);
    await options.onLogin?.({ req, user, grantId });
    await saveSession(req);
  } catch (error) {
    if (hasSession(req)) writeState(req, sessionKey, former);
    await grants.drop(hold).catch(() => undefined);
    throw error;
  }
  for (const entry of others) grants.hold(entry, referenceMsOf(req)).catch(() => undefined);
  // What the session held before, perhaps of another user, goes with it.
  for (const entry of entries) if (!others.includes(entry)) releaseQuietly(core, entry);
  debugLogin('%s logged in', grantId);
}

function releaseQuietly({ grants }: AuthCore, entry: SessionEntry): void {
  grants.drop(entry).catch(() => undefined);
}

async function authorize({ options }: AuthCore, user: SalesforceUser, req: Request): Promise<void> {
  const { allowedOrganizations, authorizeUser } = options;
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
