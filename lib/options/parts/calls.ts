import { isGrantId } from '../../coordinator/grant';
import { isOrganizationId, toId18 } from '../../salesforce/ids';
import { invalid, optionalBoolean, optionalText } from '../check';
import { flag, text, word, type Part } from '../spec';
import { parseScope } from '../values';
import { clientLoginOptions, clientOptions } from './client';

/** Options of `salesforce.login()`. */
export const loginOptions = {
  prompt: { ...clientOptions.prompt, default: 'that of the configuration' },
  display: { ...clientLoginOptions.display, default: 'that of the configuration' },
  loginHint: { ...clientLoginOptions.loginHint, default: "`login_hint` of the query, else the configuration's" },
  scope: { ...clientOptions.scope, default: 'that of the configuration' },
  baseUrl: {
    parse: optionalText,
    values: 'URL',
    default: "`org` of the query, else the configuration's",
    text: "Must be on a trusted host, since it receives the client secret. Of Salesforce's own hosts: `login.`, `test.` or `*.my.salesforce.com`, without a path",
  },
  authorizationParams: { ...clientLoginOptions.authorizationParams, text: 'Added to those of the configuration' },
  silent: {
    parse: optionalBoolean,
    values: 'boolean',
    default: '`false`',
    text: 'Ask Salesforce without showing anything (`immediate=true`, no `prompt`). If that fails, for whatever reason, the user comes back to `returnTo`, not logged in, and the same browser does not try again for five minutes. It shows no page: a link of another site, or a user who is logged in already, goes straight to `returnTo`',
  },
  returnTo: {
    parse: optionalText,
    values: 'path',
    default: '`returnTo` of the query, else `pages.home`',
    text: 'A path to end at. Anything but a path on this origin is ignored',
  },
  add: {
    parse: optionalBoolean,
    values: 'boolean',
    default: '`add=true` of the query',
    text: 'Add the login to those the session has; see [organizations.md](../guide/organizations.md#several-logins-in-one-session)',
  },
} as const satisfies Part;

/** Options of `salesforce.logout()`. */
export const logoutOptions = {
  everywhere: {
    parse: optionalBoolean,
    values: 'boolean',
    default: '`false`',
    text: 'End all sessions of the user, not only this one',
  },
  organization: {
    parse: parseLogin,
    values: 'organization or grant id',
    default: '`organization` of the query, else all',
    text: "Log out of the session's logins of one organization only, by its id or by grant id",
  },
  returnTo: {
    parse: optionalText,
    values: 'path',
    default: '`pages.home`',
    text: 'Where a page goes afterwards; an API request is answered 204',
  },
  singleLogout: {
    values: 'boolean, or URL',
    default: '`false`',
    text: "Send the browser on to Salesforce's own logout; see [logout.md](../guide/logout.md#single-logout)",
  },
} as const satisfies Part;

/** Options of `salesforce.singleLogout()`. */
export const singleLogoutOptions = {
  returnTo: {
    parse: optionalText,
    values: 'path',
    default: '`pages.home`',
    text: 'Where a page goes afterwards; a frame is answered 204',
  },
} as const satisfies Part;

/** Options of a guard. */
export const requireOptions = {
  organization: {
    values: 'organization id',
    default: 'none',
    text: 'The user has to belong to it, else 403. Of several logins in the session, that of this one is taken',
    parse: parseOrganization,
  },
  scopes: {
    values: 'string or array',
    default: 'none',
    text: 'Scopes that have to be granted, else 403. `full` counts as every scope but `refresh_token` and `offline_access`',
    parse: parseScope,
  },
} as const satisfies Part;

/** Options of `salesforce.credentialsLogin()`. */
export const credentialsLoginOptions = {
  baseUrl: {
    parse: optionalText,
    values: 'URL',
    default: 'that of the configuration',
    text: 'The site, on a trusted host. A login host or My Domain is refused: Salesforce has no such flow there',
  },
  scope: {
    parse: parseScope,
    values: 'string with spaces, or array',
    default: 'that of the configuration',
    text: 'Scopes to ask for',
  },
  returnTo: {
    parse: optionalText,
    values: 'path',
    default: '`returnTo` of the body, else `pages.home`',
    text: 'Path to go to afterwards',
  },
  add: {
    parse: optionalBoolean,
    values: 'boolean',
    default: '`false`',
    text: 'Add the login to those of the session; see [organizations](organizations.md)',
  },
  credentialsIn: {
    ...word(['body', 'header'], 'body'),
    text: 'Where username and password go in the request to Salesforce. The box "Require user credentials in the POST body" demands `body`; `header` is for an app without that box',
  },
} as const satisfies Part;

/** Options of `salesforce.app()`. */
export const appOptions = {
  user: { ...text(), default: 'none: the "Run As" user', text: 'Username to act as, by JWT bearer' },
  tenant: { ...text(), text: 'Whose client it is, if `configuration` has tenants' },
  baseUrl: {
    parse: optionalText,
    values: 'URL',
    default: 'that of the configuration',
    text: 'Where the token is asked for; a trusted host. If your users log in at `https://login.salesforce.com`, name the My Domain here',
  },
  audience: {
    ...text(),
    default:
      '`https://login.salesforce.com` for a My Domain, `https://test.salesforce.com` for that of a sandbox or scratch organization, else the base URL',
    text: '`aud` of the JWT',
  },
} as const satisfies Part;

/** A refresh token that the application has had before. */
const givenTokenOptions = {
  refreshToken: { values: 'string', default: 'required', text: 'The refresh token, as Salesforce sent it' },
  baseUrl: {
    parse: optionalText,
    values: 'URL',
    default: 'that of the client',
    text: 'The login host, My Domain or site the token came from; a trusted host',
  },
  clientID: {
    ...text(),
    default: 'that of the client',
    text: 'The client that got the token, if `configuration` has several',
  },
} as const satisfies Part;

/** Options of `salesforce.tokens.adopt()`. */
export const adoptOptions = {
  ...givenTokenOptions,
  tenant: { ...text(), text: 'The tenant whose client got the token, if your application has tenants' },
} as const satisfies Part;

/** Options of `req.salesforce.adopt()`. */
export const sessionAdoptionOptions = {
  ...givenTokenOptions,
  refreshToken: { ...givenTokenOptions.refreshToken, default: 'required, unless there is `grantId`' },
  grantId: {
    parse: optionalText,
    values: 'string',
    default: 'none',
    text: 'A grant that `tokens.adopt()` made, in place of `refreshToken`',
  },
  add: { ...flag(false), text: 'Keep the logins that the session has' },
} as const satisfies Part;

/** Options of `salesforce.tokens.reseal()`. */
export const resealOptions = {
  signal: { values: '`AbortSignal`', default: 'none', text: 'Ends the work between two grants' },
} as const satisfies Part;

function parseLogin(option: string, value: unknown): string | undefined {
  const id = optionalText(option, value);
  if (id !== undefined) assertLoginId(option, id);
  return id;
}

/** @throws SalesforceOptionError if no login can have this id: neither that of an organization nor that of a grant */
export function assertLoginId(option: string, id: string, status?: number): void {
  if (isOrganizationId(id) || isGrantId(id)) return;
  throw invalid(option, "an organization id, which begins with '00D', or a grant id", undefined, status);
}

function parseOrganization(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && isOrganizationId(value)) return toId18(value);
  throw invalid(option, "an organization id, which begins with '00D'");
}
