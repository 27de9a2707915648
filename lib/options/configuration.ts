import { parseClientKeys, type ClientKey, type SigningKey } from '../client-authentication/client-key';
import { defaultBaseUrl, parseBaseUrl, refuseOwnAddress } from '../salesforce/base-url';
import { isLoopback, parseUrl, trustHosts, type TrustedHosts } from '../salesforce/hosts';
import { parseApiHosts } from './api-hosts';
import { checkCopied, checkFunction, checkNames, invalid, oneOf, optionalText, wholeNumber } from './check';

/**
 * What Salesforce asks the user, `prompt` on the wire.
 *
 * - `login`: log in again, always
 * - `consent`: ask for approval again, always
 * - `select_account`: the approval page where the browser is logged in, else the login page; the account chooser where
 *   Salesforce knows several accounts of the browser (its "login hints")
 * - `login consent`: both
 *
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
 */
export type Prompt = 'login' | 'consent' | 'select_account' | 'login consent';

/** The look of Salesforce's login pages, `display` on the wire. Default: Salesforce's own, `page`. */
export type Display = 'page' | 'popup' | 'touch' | 'mobile';

/**
 * Where the profile of a user comes from.
 *
 * - `id_token`: the ID token where it names the user, no request; else as `identity`, or as `userinfo` for a public client
 * - `identity`: the identity URL, one request
 * - `userinfo`: OpenID Connect's userinfo endpoint, one request
 * - `id`: the signed `id` URL of the token reply alone, no request; organization and user ids only
 */
type ProfileSource = 'id_token' | 'identity' | 'userinfo' | 'id';

/** Sends one request as `fetch` does. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

/** The client as it is set up in Salesforce, and how its users log in. Passport's names where Passport has one. */
export interface ClientOptions {
  /** Consumer Key of the External Client App or Connected App, `client_id` on the wire. Required. */
  clientID: string;
  /** Consumer Secret, `client_secret` on the wire. Default: none, for a public client, which relies on PKCE alone. */
  clientSecret?: string | undefined;
  /**
   * A private key instead of a secret: `private_key_jwt` at the token, revocation and introspection endpoint. Two while the key
   * is changed: the first signs, and the second is tried if Salesforce refuses the first. Default: none.
   */
  clientKey?: ClientKey | readonly ClientKey[] | undefined;
  /**
   * A callback URL registered with the app, `redirect_uri` on the wire: https, or http for localhost. A path is below the
   * application's root, at its public address. Default: the callback route, as mounted.
   */
  callbackURL?: string | undefined;
  /** `scope` on the wire, as an array or separated by spaces. Default: none sent, which asks for all the app is assigned. */
  scope?: string | readonly string[] | undefined;
  /** `prompt` on the wire; false sends none, so that Salesforce decides what it asks. Default `login`. */
  prompt?: Prompt | false | undefined;
  /** `display` on the wire. Default: none sent, which is `page`. */
  display?: Display | undefined;
  /**
   * Username put into the login form, `login_hint` on the wire. Salesforce ignores it if the browser is logged in already.
   * Default: none.
   */
  loginHint?: string | undefined;
  /**
   * Login host, sandbox, My Domain or Experience Cloud site: https, without a query; a path for a site only. It receives the
   * client secret. Default `https://login.salesforce.com`.
   */
  baseUrl?: string | undefined;
  /** Further base URLs users may choose by name: `/auth/salesforce?org=sandbox`. Default: none. */
  organizations?: Readonly<Record<string, string>> | undefined;
  /**
   * Hosts to trust beside Salesforce's own, exact or as a suffix with a leading dot. They receive secrets and tokens.
   * Default: none.
   */
  allowedHosts?: readonly string[] | undefined;
  /**
   * Hosts of Salesforce's own APIs that `fetch()` may call beside the user's instance, such as `api.salesforce.com`; in the
   * government cloud `api.gov.salesforce.com`. They receive access tokens, which have to be JWT-based there. Default: none.
   */
  apiHosts?: readonly string[] | undefined;
  /** Further parameters of the authorization request. Those the login sets itself are refused. Default: none. */
  authorizationParams?: Readonly<Record<string, string>> | undefined;
  /** Where the profile of a user comes from. Default `id_token` if `openid` is asked for, else `identity`. */
  profileSource?: ProfileSource | undefined;
  /**
   * How the secret is sent. Default `client_secret_post`. Not with `clientKey`, and without effect for a client with neither.
   */
  clientAuthentication?: 'client_secret_post' | 'client_secret_basic' | undefined;
  /** The session timeout set in Salesforce, in seconds; at least 60. Default 7200, Salesforce's own default. */
  sessionTimeoutSeconds?: number | undefined;
  /** How long a request to Salesforce may take, in milliseconds; at least 1. Default 30000. */
  httpTimeoutMs?: number | undefined;
  /**
   * Take a My Domain that a user names: `/auth/salesforce?org=example.my.salesforce.com`. Default: whether there is an
   * organization picker (`routes.choose`). If false, users choose among `organizations` only.
   */
  anyMyDomain?: boolean | undefined;
  /**
   * Sends every request of this package, for a proxy or certificates of your own. Default: `fetch` of this process. It has to
   * honor `redirect: 'manual'` and `signal`. If it is not made of undici, one gap is left: a process that stops between the
   * last look at its claim and the first byte, for longer than `leaseMs`, may present a refresh token another process presents.
   */
  fetch?: FetchFunction | undefined;
}

/** {@link ClientOptions}, checked and complete. */
export interface Configuration {
  /** Whose configuration it is, if the application has tenants. */
  readonly tenant: string | undefined;
  readonly clientID: string;
  readonly clientSecret: string | undefined;
  readonly clientAuthentication: 'client_secret_post' | 'client_secret_basic' | 'private_key_jwt' | 'none';
  /** Empty for a client with a secret, or with neither. */
  readonly clientKeys: readonly SigningKey[];
  readonly callbackURL: string | undefined;
  readonly scope: readonly string[];
  readonly prompt: Prompt | false;
  readonly display: Display | undefined;
  readonly loginHint: string | undefined;
  readonly baseUrl: string;
  readonly organizations: Readonly<Record<string, string>>;
  readonly anyMyDomain: boolean | undefined;
  readonly trustedHosts: TrustedHosts;
  /** Origins of the option `apiHosts`. */
  readonly apiOrigins: readonly string[];
  readonly authorizationParams: Readonly<Record<string, string>>;
  readonly profileSource: ProfileSource;
  readonly sessionTimeoutSeconds: number;
  readonly httpTimeoutMs: number;
  readonly fetch: FetchFunction | undefined;
}

/** Names of {@link ClientOptions}. */
export const clientOptionNames: readonly (keyof ClientOptions)[] = [
  'clientID',
  'clientSecret',
  'clientKey',
  'callbackURL',
  'scope',
  'prompt',
  'display',
  'loginHint',
  'baseUrl',
  'organizations',
  'allowedHosts',
  'apiHosts',
  'authorizationParams',
  'profileSource',
  'clientAuthentication',
  'sessionTimeoutSeconds',
  'httpTimeoutMs',
  'anyMyDomain',
  'fetch',
];

const prompts = ['login', 'consent', 'select_account', 'login consent'] as const;
const displays = ['page', 'popup', 'touch', 'mobile'] as const;

/** Parameters the login sets itself; an extra parameter must not replace one of them. */
const reservedParams = new Set(
  'client_id client_secret response_type redirect_uri state nonce scope code_challenge code_challenge_method prompt display login_hint'.split(
    ' ',
  ),
);

/** @throws SalesforceOptionError `ERR_SALESFORCE_OPTION_INVALID` */
export function parsePrompt(value: unknown): Prompt | false | undefined {
  if (value === false) return false;
  return oneOf('prompt', value, prompts);
}

/** @throws SalesforceOptionError `ERR_SALESFORCE_OPTION_INVALID` */
export function parseDisplay(value: unknown): Display | undefined {
  return oneOf('display', value, displays);
}

/** Scopes as a list, from an array or a text separated by spaces. */
export function parseScope(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const list: unknown[] = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [undefined];
  const scopes = list.filter((scope) => scope !== '');
  if (scopes.some((scope) => typeof scope === 'string' && scope.includes(','))) {
    throw invalid(
      'scope',
      "an array of scopes, or a string of scopes separated by spaces and not by commas: 'openid api'",
    );
  }
  // RFC 6749, section 3.3: scope-token
  if (
    !scopes.every((scope): scope is string => typeof scope === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
  ) {
    throw invalid('scope', "an array of scopes, or a string of scopes separated by spaces, for instance 'openid api'");
  }
  return scopes;
}

/** What a client is configured in. */
export interface Surroundings {
  /** Whose client it is, if the application has tenants. */
  tenant?: string | undefined;
  /** Addresses of the application, as far as its options name them. */
  publicUrls?: readonly unknown[] | undefined;
}

/**
 * Checks the client part of the options. Names are checked by the caller, who knows what else may stand beside them.
 *
 * @throws SalesforceOptionError with a code and a message of its own for each mistake
 */
export function parseClientOptions(
  options: ClientOptions,
  { tenant, publicUrls = [] }: Surroundings = {},
): Configuration {
  const clientID: unknown = options.clientID;
  if (typeof clientID !== 'string' || clientID.trim() === '') {
    throw invalid(
      'clientID',
      'the Consumer Key of your Salesforce app, from its OAuth settings; it is missing or empty. With configurationFromEnv(), set ' +
        'the environment variable SALESFORCE_CLIENT_ID',
    );
  }
  const clientSecret = optionalText('clientSecret', options.clientSecret);
  checkCopied('clientID', clientID, 'Consumer Key');
  checkCopied('clientSecret', clientSecret, 'Consumer Secret');
  const clientKeys = parseClientKeys(options.clientKey);
  const scope = parseScope(options.scope);
  const allowedHosts = parseAllowedHosts(options.allowedHosts);
  const given = { own: [options.callbackURL, ...publicUrls], allowedHosts };
  refuseOwnAddress('baseUrl', options.baseUrl, given);
  const baseUrl = parseBaseUrl(options.baseUrl ?? defaultBaseUrl, allowedHosts);
  const organizations = parseOrganizations(options.organizations, given);
  return Object.freeze({
    tenant,
    clientID,
    clientSecret,
    clientAuthentication: parseAuthentication(options, clientSecret, clientKeys),
    clientKeys,
    callbackURL: parseCallbackURL(options.callbackURL),
    scope,
    prompt: parsePrompt(options.prompt) ?? 'login',
    display: parseDisplay(options.display),
    loginHint: optionalText('loginHint', options.loginHint),
    baseUrl,
    organizations,
    anyMyDomain: options.anyMyDomain,
    trustedHosts: trustHosts(baseUrl, allowedHosts, Object.values(organizations)),
    apiOrigins: parseApiHosts(options.apiHosts),
    authorizationParams: parseAuthorizationParams(options.authorizationParams),
    profileSource:
      oneOf('profileSource', options.profileSource, ['id_token', 'identity', 'userinfo', 'id']) ??
      (scope.includes('openid') ? 'id_token' : 'identity'),
    sessionTimeoutSeconds: wholeNumber('sessionTimeoutSeconds', options.sessionTimeoutSeconds, 7200, [60, 31_536_000]),
    httpTimeoutMs: wholeNumber('httpTimeoutMs', options.httpTimeoutMs, 30_000, [1, 600_000]),
    fetch: optionalFetch(options.fetch),
  });
}

function parseAuthentication(
  { clientAuthentication }: ClientOptions,
  secret: string | undefined,
  keys: readonly SigningKey[],
): Configuration['clientAuthentication'] {
  if (keys.length === 0) {
    const how = oneOf('clientAuthentication', clientAuthentication, ['client_secret_post', 'client_secret_basic']);
    return secret === undefined ? 'none' : (how ?? 'client_secret_post');
  }
  if (secret !== undefined) throw invalid('clientKey', 'left out if there is a clientSecret: a client has one of both');
  if (clientAuthentication !== undefined) {
    throw invalid('clientAuthentication', 'left out with clientKey: it says how a secret is sent');
  }
  return 'private_key_jwt';
}

function optionalFetch(value: FetchFunction | undefined): FetchFunction | undefined {
  checkFunction('fetch', value);
  return value;
}

function parseCallbackURL(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const isPath = typeof value === 'string' && /^\/(?![/\\])/.test(value);
  const url = typeof value === 'string' && !isPath ? parseUrl(value) : undefined;
  const isSecure = url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)));
  if (typeof value !== 'string' || !(isPath || isSecure) || value.includes('#')) {
    throw invalid(
      'callbackURL',
      "one of the callback URLs registered in Salesforce, with https (http for localhost alone), or a path such as '/auth/salesforce/callback'",
    );
  }
  return value;
}

function parseAllowedHosts(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const isHost = (host: unknown): host is string => typeof host === 'string' && /^\.?[a-z0-9.-]+(?::\d+)?$/i.test(host);
  if (!Array.isArray(value) || !value.every(isHost)) {
    throw invalid('allowedHosts', "an array of host names such as 'support.example.com', without scheme or path");
  }
  return value.map((host) => host.toLowerCase());
}

function parseOrganizations(
  value: unknown,
  given: { own: readonly unknown[]; allowedHosts: readonly string[] },
): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(
      'organizations',
      "an object of base URLs by name, for instance { sandbox: 'https://test.salesforce.com' }",
    );
  }
  return Object.freeze(
    Object.fromEntries(
      Object.entries(value).map(([name, url]) => {
        const option = `organizations.${name}`;
        refuseOwnAddress(option, url, given);
        return [name, parseBaseUrl(url, given.allowedHosts, option)];
      }),
    ),
  );
}

function parseAuthorizationParams(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || !Object.values(value).every((text) => typeof text === 'string')) {
    throw invalid('authorizationParams', 'an object of strings');
  }
  const reserved = Object.keys(value).find((name) => reservedParams.has(name));
  if (reserved !== undefined) {
    throw invalid(
      'authorizationParams',
      `without '${reserved}', which the login sets itself; use the option of that name`,
    );
  }
  return Object.freeze({ ...(value as Record<string, string>) });
}

/** Checks options that are nothing but client options: what a configuration function returns. */
export function parseConfiguration(options: ClientOptions, surroundings?: Surroundings): Configuration {
  checkNames(options, clientOptionNames, 'The Salesforce configuration');
  return parseClientOptions(options, surroundings);
}
