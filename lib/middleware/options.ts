import { Addresses, parsePublicUrl, type PublicUrl } from '../address';
import { systemClock, type Clock } from '../clock';
import type { RefreshSettings } from '../coordinator/settings';
import { KeyRing, parseEncryptionKeys } from '../crypto/key-ring';
import { loginKeys } from '../login/keys';
import { invalid } from '../options/check';
import { parseClientOptions, type ClientOptions } from '../options/configuration';
import type { KeepAliveSettings } from '../options/keep-alive';
import { checkNames } from '../options/names';
import { clientOptions } from '../options/parts/client';
import { staticOptions, tenantOptions } from '../options/parts/middleware';
import { mayGetRefreshToken, parseRefresh, type RefreshOptions } from '../options/refresh';
import { parseValues } from '../options/spec';
import { checkedTenant, ConfigurationSource, type ConfigurationFunction, type TenantFunction } from '../options/source';
import { Reporter, type Report } from '../reporter';
import { MemoryTokenStore } from '../stores/memory';
import type { TokenStore } from '../stores/store';
import { EndedLogins } from './ended-logins';
import type { ErrorPage } from './error-details';
import { RequestTenant } from './request-tenant';
import { sessionKeyOf, type SessionPlace } from './session';
import type { AuthorizeUser, OnLogin } from './user';

/** Paths of the mounted routes, relative to where the middleware is mounted; false for none. */
export interface Routes {
  /** Default `/auth/salesforce`. */
  login?: string | false | undefined;
  /** A page on which the user chooses where to log in; guards then send users there. Default false: no such page. */
  choose?: string | false | undefined;
  /** Default `/auth/salesforce/callback`; the path of an absolute `callbackURL` is served as well. */
  callback?: string | false | undefined;
  /** Default `/auth/salesforce/logout`, POST. */
  logout?: string | false | undefined;
  /** A route that answers with JSON how the login is, for pages built in the browser. Default false: no such route. */
  status?: string | false | undefined;
}

/** What the middleware does with the session of the application. */
export interface SessionOptions {
  /** Name of the entry in the session. Default: `property` with a fingerprint of `clientID`; with `configuration`, `property`. */
  key?: string | undefined;
  /**
   * Keep the rest of the session at login and logout, as Passport's `keepSessionInfo` does. The session's id changes all the
   * same. Default false.
   */
  keepInfo?: boolean | undefined;
}

/** Pages of the application that the middleware leads to. */
export interface PageOptions {
  /** Path below the application's root where a login ends that was for no page, and where a logout ends. Default `/`. */
  home?: string | undefined;
  /**
   * Shows errors of this package that no error handler of the application has answered; false leaves them to Express.
   * Default: a page for browsers. Scripts get JSON either way.
   */
  error?: ErrorPage | false | undefined;
}

/** How grants are named and read in the store. */
export interface GrantOptions {
  /** A secret, never to change, that keeps grant ids from being computed from user ids. Default: none. */
  idKey?: string | undefined;
  /**
   * Read grants that are stored in the clear although there are `encryptionKeys`: for the time in which encryption is being
   * switched on. Default false, since a person who can write to the store could plant such a grant.
   */
  acceptUnencrypted?: boolean | undefined;
}

/** Options that hold for the whole life of the middleware. */
export interface StaticOptions {
  /** Where grants are kept. Default: a {@link MemoryTokenStore}, which is for one process. */
  store?: TokenStore | undefined;
  /**
   * Random secrets of at least 32 characters, newest first, that encrypt stored tokens and pending logins. The first
   * encrypts, all decrypt. Default: tokens are not encrypted, of which a warning tells unless they stay in memory; false is
   * the same without the warning.
   */
  encryptionKeys?: readonly (string | Uint8Array)[] | false | undefined;
  /** How grants are named and read in the store. Default: none set. */
  grants?: GrantOptions | undefined;
  /** Paths of the routes; see {@link Routes} for their defaults. */
  routes?: Routes | undefined;
  /**
   * The application's address as browsers see it, if requests do not show that address: a proxy rewrites `Host` or strips a
   * path. http or https, with the path prefix and without a query. A list names several hosts of one application, the callback's
   * first; a function must not wait. Default: from the request, as Express's `trust proxy` says.
   */
  publicUrl?: PublicUrl | undefined;
  /**
   * Says whose request it is, for `configuration`: sessions, logins and grants of one tenant count for nothing in requests of
   * another. Look at something a visitor cannot choose, such as the host. Called for each guarded request, so it must not wait.
   * Default: one tenant.
   */
  tenant?: TenantFunction | undefined;
  /**
   * Takes warnings for the operator, at most one each 60 seconds for each cause. They hold no secret. Default: lines on the
   * standard error stream; false is silent.
   */
  report?: Report | false | undefined;
  /** Name of the property on the request. Default `salesforce`. */
  property?: string | undefined;
  /** What the middleware does with the session of the application. Default: none set. */
  session?: SessionOptions | undefined;
  /**
   * Organizations whose users may log in, by id. Default: all, of which a warning tells if Salesforce asks users of any
   * organization; `'any'` is the same without the warning.
   */
  allowedOrganizations?: readonly string[] | 'any' | undefined;
  /**
   * Decides whether a user may log in; false or an exception refuses, and the tokens are revoked. Anything but true and false is
   * an error. Default: all may.
   */
  authorizeUser?: AuthorizeUser | undefined;
  /**
   * Called after a login, before the redirect; the session is the new one, and `req.login()` of an application's own Passport
   * works. A callback that is opened twice can call it twice, with the same grant. An exception ends the login again.
   * Default: none.
   */
  onLogin?: OnLogin | undefined;
  /** Pages of the application: where a login or logout ends, and what shows errors. Default: none set. */
  pages?: PageOptions | undefined;
  /** How tokens are refreshed: times, bounds, and what happens on a bad day. */
  refresh?: RefreshOptions | undefined;
  /** Source of time, for tests. */
  clock?: Clock | undefined;
}

/** Options of `salesforceAuth()`: one client, or `configuration`, a function that gives the client of a tenant. */
export type SalesforceAuthOptions =
  | (ClientOptions & StaticOptions & { configuration?: undefined })
  | (StaticOptions & { configuration: ConfigurationFunction });

/** {@link SalesforceAuthOptions}, checked and complete. */
export interface ParsedOptions {
  source: ConfigurationSource;
  store: TokenStore;
  /** Whether the store was made here, and is to be closed here. */
  ownsStore: boolean;
  secrets: readonly (string | Uint8Array)[] | undefined;
  /** Whether the application said that it wants no encryption. */
  isUnencryptedOnPurpose: boolean;
  grantKeys: KeyRing | undefined;
  acceptUnencrypted: boolean;
  routes: Record<keyof Routes, string | false>;
  property: string;
  session: SessionPlace;
  addresses: Addresses;
  tenant: TenantFunction | undefined;
  /** Tells the callback of a login whose request it is. */
  requestTenant: RequestTenant | undefined;
  /** Keys of what a login leaves in the browser. */
  keys: KeyRing;
  reporter: Reporter;
  keepSessionInfo: boolean;
  allowedOrganizations: readonly string[] | undefined;
  /** Whether the application said that users of any organization may log in. */
  isAnyOrganizationOnPurpose: boolean;
  authorizeUser: StaticOptions['authorizeUser'];
  onLogin: StaticOptions['onLogin'];
  errorPage: ErrorPage | false | undefined;
  homePath: string;
  settings: RefreshSettings;
  keepAlive: KeepAliveSettings | undefined;
  grantIdKey: string;
  clock: Clock;
}

/** Checks the options of `salesforceAuth()`. @throws SalesforceOptionError */
export function parseOptions(options: SalesforceAuthOptions): ParsedOptions {
  if (typeof options !== 'object' || (options as object | null) === null) {
    throw invalid('options', 'an object with clientID, or with configuration, a function that gives it');
  }
  const { configuration } = options;
  checkNames(options, { ...clientOptions, ...tenantOptions, ...staticOptions }, 'salesforceAuth()');
  const misplaced = Object.keys(clientOptions).find((name) => configuration !== undefined && name in options);
  if (misplaced !== undefined) {
    throw invalid(misplaced, 'part of what the configuration function returns, since there is one');
  }
  parseValues(tenantOptions, options);
  const { session, ...given } = parseValues(staticOptions, options);
  if (given.tenant !== undefined && configuration === undefined) {
    throw invalid('tenant', 'left out without configuration, the function that gives each tenant its client');
  }
  const clock = options.clock ?? systemClock;
  const secrets = parseEncryptionKeys(options.encryptionKeys);
  const publicUrls = [options.publicUrl].flat();
  const source = new ConfigurationSource(configuration ?? parseClientOptions(options, { publicUrls }), {
    publicUrls,
    clock,
  });
  const store = given.store ?? new MemoryTokenStore({ clock });
  const checked = checkedTenant(given.tenant);
  const requestTenant = checked && new RequestTenant(checked);
  const tenant = requestTenant?.of;
  const { settings, keepAlive } = parseRefresh(options.refresh, hasLastingGrants(store, source));
  if (keepAlive && typeof store.takeIdle !== 'function') {
    throw invalid('refresh.keepAlive', 'left out with this store, which has no takeIdle() to tell idle grants');
  }
  return {
    source,
    store,
    ownsStore: options.store === undefined,
    secrets,
    isUnencryptedOnPurpose: options.encryptionKeys === false,
    grantKeys: secrets && new KeyRing(secrets, 'grant'),
    session: {
      key: session.key ?? sessionKeyOf(given.property, source.fixed?.clientID),
      tenant,
      ended: new EndedLogins(),
    },
    addresses: new Addresses(parsePublicUrl(options.publicUrl), source.fixed?.callbackURL),
    tenant,
    requestTenant,
    keys: loginKeys(secrets, source),
    reporter: new Reporter(given.report, clock),
    isAnyOrganizationOnPurpose: options.allowedOrganizations === 'any',
    settings,
    keepAlive,
    clock,
    acceptUnencrypted: given.grants.acceptUnencrypted,
    routes: given.routes,
    property: given.property,
    keepSessionInfo: session.keepInfo,
    allowedOrganizations: given.allowedOrganizations,
    authorizeUser: given.authorizeUser,
    onLogin: given.onLogin,
    errorPage: given.pages.error,
    homePath: given.pages.home,
    grantIdKey: given.grants.idKey ?? '',
  };
}

/** Whether grants outlive the process, can be refreshed and are told when they are idle. */
function hasLastingGrants(store: TokenStore, { fixed }: ConfigurationSource): boolean {
  const isLasting = !(store instanceof MemoryTokenStore) && typeof store.takeIdle === 'function';
  return isLasting && (!fixed || mayGetRefreshToken(fixed.scope));
}
