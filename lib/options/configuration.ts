import { parseClientKeys, type ClientKey, type SigningKey } from '../client-authentication/client-key';
import { defaultBaseUrl, parseBaseUrl, refuseOwnAddress } from '../salesforce/base-url';
import { trustHosts, type TrustedHosts } from '../salesforce/hosts';
import { parseApiHosts } from './api-hosts';
import { invalid, isPlainObject } from './check';
import type { FetchFunction } from './fetch-function';
import { checkNames } from './names';
import { clientOptions } from './parts/client';
import { parseValues } from './spec';
import type { Prompt } from './values';

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

/** What a login asks for and takes beside `scope` and `prompt`. A call of `login()` can ask for something else. */
export interface ClientLoginOptions {
  /** `display` on the wire. Default: none sent, which is `page`. */
  display?: Display | undefined;
  /**
   * Username put into the login form, `login_hint` on the wire. Salesforce ignores it if the browser is logged in already.
   * Default: none.
   */
  loginHint?: string | undefined;
  /** Further parameters of the authorization request. Those the login sets itself are refused. Default: none. */
  authorizationParams?: Readonly<Record<string, string>> | undefined;
  /** Where the profile of a user comes from. Default `id_token` if `openid` is asked for, else `identity`. */
  profileSource?: ProfileSource | undefined;
  /**
   * Take a My Domain that a user names: `/auth/salesforce?org=example.my.salesforce.com`. Default: whether there is an
   * organization picker (`routes.choose`). If false, users choose among `organizations` only.
   */
  anyMyDomain?: boolean | undefined;
}

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
  /** What else a login asks for and takes: the look of the pages, the profile, a My Domain that a user names. Default: none set. */
  login?: ClientLoginOptions | undefined;
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
  /**
   * How the secret is sent. Default `client_secret_post`. Not with `clientKey`, and without effect for a client with neither.
   */
  clientAuthentication?: 'client_secret_post' | 'client_secret_basic' | undefined;
  /** The session timeout set in Salesforce, in seconds; at least 60. Default 7200, Salesforce's own default. */
  sessionTimeoutSeconds?: number | undefined;
  /** How long a request to Salesforce may take, in milliseconds; at least 1. Default 30000. */
  httpTimeoutMs?: number | undefined;
  /**
   * Sends every request of this package, for a proxy or certificates of your own. Default: `fetch` of this process. It has to
   * honor `redirect: 'manual'` and `signal`. If it is not made of undici, one gap is left: a process that stops between the
   * last look at its claim and the first byte, for longer than its claim holds, may present a refresh token that another
   * process presents.
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

/** A name of a client for what is remembered of it. Two tenants can name the same client id, and be different clients. */
export function keyOfClient({ tenant, clientID }: { tenant?: string | undefined; clientID: string }): string {
  return JSON.stringify([tenant, clientID]);
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
  const values = parseValues(clientOptions, options);
  const { allowedHosts, login, scope } = values;
  const clientKeys = parseClientKeys(options.clientKey);
  const given = { own: [values.callbackURL, ...publicUrls], allowedHosts };
  refuseOwnAddress('baseUrl', options.baseUrl, given);
  const baseUrl = parseBaseUrl(options.baseUrl === undefined ? defaultBaseUrl : options.baseUrl, allowedHosts);
  const organizations = parseOrganizations(options.organizations, given);
  return Object.freeze({
    // One by one: what is given, such as the private key of clientKey, must not be shown with the configuration.
    clientID: values.clientID,
    clientSecret: values.clientSecret,
    callbackURL: values.callbackURL,
    scope,
    prompt: values.prompt,
    ...login,
    sessionTimeoutSeconds: values.sessionTimeoutSeconds,
    httpTimeoutMs: values.httpTimeoutMs,
    fetch: values.fetch,
    tenant,
    clientAuthentication: authenticationOf(values, clientKeys),
    clientKeys,
    baseUrl,
    organizations,
    trustedHosts: trustHosts(baseUrl, allowedHosts, Object.values(organizations)),
    apiOrigins: parseApiHosts(options.apiHosts),
    profileSource: login.profileSource ?? (scope.includes('openid') ? 'id_token' : 'identity'),
  });
}

function authenticationOf(
  {
    clientAuthentication: how,
    clientSecret: secret,
  }: { clientAuthentication: ClientOptions['clientAuthentication']; clientSecret: string | undefined },
  keys: readonly SigningKey[],
): Configuration['clientAuthentication'] {
  if (keys.length === 0) return secret === undefined ? 'none' : (how ?? 'client_secret_post');
  if (secret !== undefined) throw invalid('clientKey', 'left out if there is a clientSecret: a client has one of both');
  if (how !== undefined) throw invalid('clientAuthentication', 'left out with clientKey: it says how a secret is sent');
  return 'private_key_jwt';
}

function parseOrganizations(
  value: unknown,
  given: { own: readonly unknown[]; allowedHosts: readonly string[] },
): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isPlainObject(value)) {
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

/** Checks options that are nothing but client options: what a configuration function returns. */
export function parseConfiguration(options: ClientOptions, surroundings?: Surroundings): Configuration {
  checkNames(options, clientOptions, 'The Salesforce configuration');
  return parseClientOptions(options, surroundings);
}
