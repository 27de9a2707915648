import type { Request, Response } from 'express';
import { SalesforceAuthError } from '../errors';
import { invalid } from '../options/check';
import type { Configuration } from '../options/configuration';
import { isExperienceCloudSite, parseRequestedBaseUrl } from '../salesforce/base-url';
import type { ProvenLogin } from '../login/finish';
import { loadProfile } from '../login/profile';
import { proveReply, unprovenTokens } from '../login/prove';
import { absoluteCallbackURL } from '../login/request';
import { TokenClient } from '../token/client';
import { codeOfCredentials, type Credentials, type CredentialsPlace } from '../token/credentials-code';
import { createSession, holdersOf } from './create-session';
import type { AuthContext } from './context';
import { safeReturnTo } from './return-to';
import { requireSession } from './session';
import { userOf } from './user';
import { isCrossSite } from './visit';

/** What a handler of the application's own login form can set. */
export interface CredentialsLoginOptions {
  /** The Experience Cloud site, on a trusted host. Default: that of the configuration. */
  baseUrl?: string | undefined;
  /** Default: that of the configuration. */
  scope?: string | readonly string[] | undefined;
  /** Path to return to. Default: `returnTo` of the body, else `pages.home`. */
  returnTo?: string | undefined;
  /** Add the login to those the session has, rather than replacing them. Default false. */
  add?: boolean | undefined;
  /**
   * Where username and password go in the request to Salesforce. Default `'body'`, as the box "Require user credentials in the
   * POST body" of the app demands; `'header'` for an app without that box.
   */
  credentialsIn?: 'body' | 'header' | undefined;
}

/** {@link CredentialsLoginOptions}, checked. */
export interface CheckedCredentialsOptions extends CredentialsLoginOptions {
  scope: readonly string[] | undefined;
  credentialsIn: CredentialsPlace;
}

/** Longest username or password that is sent on, in characters; those of Salesforce are shorter. */
const maxLength = 1_024;

/** What the application's login form posted. */
export type PostedCredentials = Record<string, unknown>;

/**
 * The route of the application's own login form: makes a session of `username` and `password` by Salesforce's Authorization
 * Code and Credentials Flow.
 */
export async function logInWithCredentials(
  core: AuthContext,
  options: CheckedCredentialsOptions,
  { req, res, given }: { req: Request; res: Response; given: PostedCredentials },
): Promise<void> {
  if (req.method !== 'POST' || isCrossSite(req, core.options.addresses, true)) throw crossSite();
  requireSession(req);
  const credentials = checkCredentials(given, options.credentialsIn);
  const addTo = options.add === true ? holdersOf(req, core) : undefined;
  const { proven, profile } = await proveCredentials(core, options, req, credentials);
  await createSession(core, req, { login: proven, user: userOf(profile), addTo });
  const { addresses, homePath } = core.options;
  const target = safeReturnTo(options.returnTo ?? given['returnTo']) ?? addresses.pathOf(req, '', homePath);
  if (req.accepts(['json', 'html']) === 'html') res.redirect(303, target);
  else res.json({ returnTo: target });
}

async function proveCredentials(
  core: AuthContext,
  options: CheckedCredentialsOptions,
  req: Request,
  credentials: Credentials,
): Promise<{ proven: ProvenLogin; profile: Awaited<ReturnType<typeof loadProfile>> }> {
  const { addresses, clock } = core.options;
  const configuration = await core.configurationOf(req);
  const baseUrl = siteOf(options, configuration);
  const callbackURL = absoluteCallbackURL(req, configuration.callbackURL ?? core.callbackPathOf(req), addresses);
  const { scope = configuration.scope, credentialsIn } = options;
  const request = { baseUrl, callbackURL, scope, credentialsIn };
  const { code, codeVerifier } = await codeOfCredentials(credentials, request, configuration, clock);
  const { clientID, tenant } = configuration;
  const transaction = { clientID, baseUrl, callbackURL, codeVerifier, ...(tenant === undefined ? {} : { tenant }) };
  const client = new TokenClient(configuration, baseUrl, clock);
  const reply = await client.authorizationCodeGrant({ code, redirectURI: callbackURL, codeVerifier });
  let unused = unprovenTokens(reply, transaction);
  try {
    const proven = await proveReply(reply, { configuration, transaction }, clock);
    unused = proven.tokens;
    const profile = await loadProfile(proven, configuration, clock);
    return { proven: { ...proven, reply, transaction, configuration }, profile };
  } catch (error) {
    void core.grants.discard(unused);
    throw error;
  }
}

function siteOf(options: CredentialsLoginOptions, configuration: Configuration): string {
  const baseUrl =
    options.baseUrl === undefined
      ? configuration.baseUrl
      : parseRequestedBaseUrl(options.baseUrl, configuration.trustedHosts);
  if (isExperienceCloudSite(baseUrl)) return baseUrl;
  throw invalid(
    'baseUrl',
    'the URL of an Experience Cloud site for a login with credentials, such as https://MyDomain.my.site.com/portal; ' +
      'Salesforce has no such flow at login hosts and My Domains',
  );
}

function checkCredentials({ username, password }: PostedCredentials, place: CredentialsPlace): Credentials {
  const isText = (value: unknown): value is string =>
    typeof value === 'string' && value !== '' && value.length <= maxLength;
  // A colon would end the username in a header (RFC 7617, section 2).
  const isWhole = place === 'body' || !String(username).includes(':');
  if (isText(username) && isText(password) && isWhole) return { username, password };
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_CREDENTIALS_MISSING',
    'The login form has to post username and password. If it does, mount express.urlencoded() or express.json() before the ' +
      'handler of credentialsLogin().',
    { status: 400 },
  );
}

function crossSite(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CROSS_SITE',
    'Another site tried to log the user in. Log in with the form of the application itself, by POST.',
    { status: 403 },
  );
}
