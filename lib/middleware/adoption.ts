import type { Request } from 'express';
import { randomName } from '../crypto/random-name';
import type { Adoptions, GivenToken, ProvenTokens } from '../coordinator/adoptions';
import { loggedOut, storeFailed } from '../coordinator/failures';
import type { GrantKey } from '../coordinator/grant';
import { isSalesforceAuthError } from '../errors';
import { loadProfile } from '../login/profile';
import { assertIdentityProvable } from '../login/prove';
import { invalid } from '../options/check';
import type { Configuration } from '../options/configuration';
import { parsePart } from '../options/names';
import { adoptOptions, sessionAdoptionOptions } from '../options/parts/calls';
import { parseRequestedBaseUrl } from '../salesforce/base-url';
import type { TokenSet } from '../token/types';
import { adoptSession, assertOrganization, authorize, holdersOf } from './create-session';
import type { AuthContext } from './context';
import { requireSession } from './session';
import { userOf, type SalesforceUser } from './user';

/** A refresh token that the application has had before. */
export interface AdoptOptions {
  /** As Salesforce sent it. From this call on, only this package may present it. */
  refreshToken: string;
  /** Whose client it was issued to, if the application has tenants. */
  tenant?: string | undefined;
  /** Where it can be refreshed: the login host, My Domain or site it came from. Default: that of the configuration. */
  baseUrl?: string | undefined;
  /** The client it was issued to. Default: that of the configuration. */
  clientID?: string | undefined;
}

/** The grant that was made of a refresh token. */
export interface AdoptedGrant {
  /** For `tokens.get()` in jobs, and for `req.salesforce.adopt()` at the user's next visit. */
  grantId: string;
  /** The user of the token. */
  user: SalesforceUser;
}

/** Options of `req.salesforce.adopt()` beside those of a refresh token. */
export interface SessionAdoptionOptions {
  /** A grant that `tokens.adopt()` made, in place of a refresh token. */
  grantId?: string | undefined;
  /** Add the login to those the session has, rather than replacing them. Default false. */
  add?: boolean | undefined;
}

/** How a session gets a login without a login page: a refresh token, or the id of a grant that was made of one. */
export type SessionAdoption = SessionAdoptionOptions &
  ((Omit<AdoptOptions, 'tenant'> & { grantId?: undefined }) | { grantId: string; refreshToken?: undefined });

/** Longest refresh token that is accepted, in characters; Salesforce's are shorter. */
const maxLength = 2_048;

/** How often an adoption begins anew because another process goes on with it. */
const maxTries = 10;

/** Makes a grant of a refresh token. */
export function adoptToken(core: AuthContext, given: AdoptOptions): Promise<AdoptedGrant & GrantKey> {
  parsePart(adoptOptions, given, 'adopt()');
  return adopt(core, given, () => undefined);
}

/** Logs a session in by a refresh token, or by a grant. */
export async function adoptInSession(core: AuthContext, req: Request, given: SessionAdoption): Promise<void> {
  parsePart(sessionAdoptionOptions, given, 'adopt()');
  requireSession(req);
  const { add, grantId, ...rest } = given;
  if ((grantId === undefined) === (given.refreshToken === undefined)) {
    throw invalid('adopt()', 'called with refreshToken or with grantId, and not with both');
  }
  const addTo = add === true ? holdersOf(req, core) : undefined;
  const tenant = core.options.tenant?.(req);
  const mayAdopt = (user: SalesforceUser): Promise<void> => authorize(core, user, req);
  const adopted =
    grantId === undefined
      ? await adopt(core, { ...(rest as AdoptOptions), tenant }, mayAdopt, req)
      : await grantOf(core, { grantId }, { tenant, mayAdopt });
  const { user, generation = '' } = adopted;
  const session = { grantId: adopted.grantId, generation, holder: randomName(), user, tenant };
  if (!(await adoptSession(core, req, { session, addTo }))) throw loggedOut();
}

/** Throws if the user of a token may not use the application. */
type MayAdopt = (user: SalesforceUser) => Promise<void> | undefined;

async function adopt(
  core: AuthContext,
  given: AdoptOptions,
  mayAdopt: MayAdopt,
  req?: Request,
): Promise<AdoptedGrant & GrantKey> {
  const adoptions = await core.adoptions();
  const { token, configuration } = await parse(core, given, req);
  for (let tries = 0; tries < maxTries; tries++) {
    const proven = await adoptions.prove(token);
    if (!('found' in proven)) return grantOf(core, proven, { tenant: token.tenant, mayAdopt });
    const user = await allowed(core, proven, { adoptions, configuration, mayAdopt });
    const grant = await adoptions.settle(proven, configuration.sessionTimeoutSeconds);
    if (grant) return { ...grant, user };
  }
  throw storeFailed('put', new Error('The record of an adoption kept changing.'));
}

/** The user of proven tokens. Those of a user who may not use the application are revoked, as after a login. */
async function allowed(
  core: AuthContext,
  proven: ProvenTokens,
  { adoptions, configuration, mayAdopt }: { adoptions: Adoptions; configuration: Configuration; mayAdopt: MayAdopt },
): Promise<SalesforceUser> {
  try {
    assertOrganization(core, proven.tokens);
    const user = await loadUser(core, proven.tokens, configuration);
    await mayAdopt(user);
    return user;
  } catch (error) {
    // An authorizeUser() that throws has not answered. The tokens stay, and can be adopted later.
    if (isSalesforceAuthError(error) && error.code.endsWith('_NOT_ALLOWED')) await adoptions.refuse(proven);
    throw error;
  }
}

/** An existing grant and its user. */
async function grantOf(
  core: AuthContext,
  key: GrantKey,
  { tenant, mayAdopt }: { tenant: string | undefined; mayAdopt: MayAdopt },
): Promise<AdoptedGrant & GrantKey> {
  const { coordinator, options } = core;
  const found = await coordinator.access.open(key.grantId);
  if (!found || found.tokens.tenant !== tenant || found.tokens.organizationId === '') throw loggedOut();
  assertOrganization(core, found.tokens);
  const { generation } = found.record;
  const tokens = await coordinator.get({ generation, ...key });
  const configuration = await options.source.resolveClient(tokens.clientID, { tenant });
  const user = await loadUser(core, tokens, configuration);
  await mayAdopt(user);
  return { generation, ...key, user };
}

async function loadUser(core: AuthContext, tokens: TokenSet, configuration: Configuration): Promise<SalesforceUser> {
  return userOf(await loadProfile({ tokens, claims: undefined }, configuration, core.options.clock));
}

async function parse(
  core: AuthContext,
  { refreshToken, tenant, baseUrl, clientID }: AdoptOptions,
  req: Request | undefined,
): Promise<{ token: GivenToken; configuration: Configuration }> {
  const isToken = typeof refreshToken === 'string' && /^[\x21-\x7e]+$/.test(refreshToken);
  if (!isToken || refreshToken.length > maxLength)
    throw invalid('refreshToken', 'a refresh token, as Salesforce sent it');
  const { source } = core.options;
  const context = { tenant, req };
  const configuration =
    clientID === undefined ? await source.resolve(context) : await source.resolveClient(clientID, context);
  assertIdentityProvable(configuration);
  const token: GivenToken = {
    ...{ refreshToken, tenant, clientID: configuration.clientID, scope: configuration.scope },
    baseUrl: baseUrl === undefined ? configuration.baseUrl : parseRequestedBaseUrl(baseUrl, configuration.trustedHosts),
  };
  return { token, configuration };
}
