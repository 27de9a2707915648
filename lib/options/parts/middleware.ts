import type { ErrorPage } from '../../middleware/error-details';
import type { AuthorizeUser, OnLogin } from '../../middleware/user';
import type { Report } from '../../reporter';
import { isOrganizationId, toId18 } from '../../salesforce/ids';
import type { TokenStore } from '../../stores/store';
import { invalid } from '../check';
import type { ConfigurationFunction, TenantFunction } from '../source';
import {
  callback,
  callbackOrFalse,
  clock,
  flag,
  group,
  path,
  text,
  type OptionSpec,
  type Parsed,
  type Part,
} from '../spec';
import { isPathAsSent } from '../values';
import { refreshOptions } from './refresh';

/** Paths of the mounted routes. */
export const routeOptions = {
  login: { ...route('/auth/salesforce'), text: 'Begins a login' },
  choose: {
    ...route(false),
    text: 'A page on which the user chooses where to log in. Guards then send users there; see [organizations.md](../guide/organizations.md#the-organization-picker)',
  },
  callback: {
    ...route('/auth/salesforce/callback'),
    text: 'Ends a login. The path of an absolute `callbackURL` is served as well, if it is below the path at which the middleware is mounted',
  },
  logout: { ...route('/auth/salesforce/logout'), text: 'Logs out, by POST. A link to it shows a page with a button' },
  status: {
    ...route(false),
    text: 'Says as JSON how the login is, for pages built in the browser; see [integrations.md](../guide/integrations.md#pages-built-in-the-browser)',
  },
} as const satisfies Part;

/** What the middleware does with the session of the application. */
export const sessionOptions = {
  key: {
    ...text(),
    default: '`property` with a fingerprint of `clientID`; with `configuration`, `property`',
    text: 'Name of the entry in the session. Two middlewares must not share it; see [organizations.md](../guide/organizations.md#several-middlewares-side-by-side)',
  },
  keepInfo: {
    ...flag(false),
    text: "Keep the rest of the session at login and logout, such as a login of your own Passport. The session's id changes all the same. (Passport's `keepSessionInfo`)",
  },
} as const satisfies Part;

/** Pages of the application that the middleware leads to. */
export const pageOptions = {
  home: {
    values: "path below the application's root",
    default: '`/`',
    text: 'Where a login ends that was for no page, and where a logout ends. It does not move with the mount path',
    parse: (option: string, value: unknown): string => path(option, value) ?? '/',
  },
  error: {
    ...callbackOrFalse<ErrorPage>('`(details, req, res) => void`, may be async', 'a page of this package'),
    text: 'Shows errors of this package that no error handler has answered; see [errors.md](errors.md#the-error-page). `false` leaves them to Express',
  },
} as const satisfies Part;

/** How grants are named and read in the store. */
export const grantOptions = {
  idKey: {
    ...text(),
    text: 'A secret that keeps grant ids from being computed from user ids. Never change it: all grants would be lost',
  },
  acceptUnencrypted: {
    ...flag(false),
    text: 'Read grants stored in the clear although there are `encryptionKeys`, while encryption is being switched on; see [security.md](../guide/security.md#tokens-at-rest)',
  },
} as const satisfies Part;

/** Options of an application whose client changes, or that has a client for each tenant. */
export const tenantOptions = {
  configuration: {
    ...callback<ConfigurationFunction>('`({ tenant, clientID, req }) =>` client options, may be async', 'none'),
    text: 'Gives the client options in force; see [above](#two-ways-to-give-them)',
  },
  tenant: {
    ...callback<TenantFunction>('`(req) => string`, must not wait', 'one tenant'),
    text: 'Says whose request it is, for `configuration`, and only with it. Sessions, logins and grants of one tenant count for nothing in requests of another; see [security.md](../guide/security.md#tenants)',
  },
} as const satisfies Part;

/** Options that hold for the whole life of the middleware. */
export const staticOptions = {
  store: {
    values: '[`TokenStore`](../guide/stores.md)',
    default: 'a new `MemoryTokenStore`',
    text: 'Where grants are kept. One you pass is yours to close',
    parse: parseStore,
  },
  encryptionKeys: {
    values: 'array of strings or bytes, each ≥ 32 long; or `false`',
    default: 'none',
    text: 'Random secrets, newest first, that encrypt stored tokens, pending logins and the links and cookies of this package. The first encrypts, all decrypt. Without them there is a warning for every store but the memory store; `false` says that it is meant. See [security.md](../guide/security.md#tokens-at-rest)',
  },
  grants: {
    ...group(grantOptions, '{ acceptUnencrypted: true }'),
    default: 'see [below](#grants)',
    text: 'How grants are named and read in the store. Most applications set neither option',
  },
  routes: {
    values: 'object',
    default: 'see [below](#routes)',
    text: 'Paths of the routes that the middleware serves',
    parse: parseRoutes,
    options: routeOptions,
  },
  publicUrl: {
    values: 'URL, list of URLs, or `(req) => URL` that must not wait',
    default: 'from the request',
    text: "The application's address as browsers see it, http or https, with the path prefix and without a query, if a proxy rewrites `Host` or strips a path; see [deployment.md](../guide/deployment.md#behind-a-proxy). A list names [several hosts](../guide/deployment.md#several-hosts) of one application, the callback's first",
  },
  tenant: tenantOptions.tenant,
  report: {
    ...callbackOrFalse<Report>('`({ code, message, suppressed }) => void`', 'lines on the standard error stream'),
    text: 'Takes [warnings](../guide/observability.md#warnings) for the operator, at most one a minute for each cause; `false` is silent',
  },
  property: {
    ...text('salesforce'),
    text: 'Name of the property on the request. With another name, guard with `salesforce.require()`',
  },
  session: {
    ...group(sessionOptions, '{ keepInfo: true }'),
    default: 'see [below](#session)',
    text: 'What the middleware does with the session of the application',
  },
  allowedOrganizations: {
    values: "array of organization ids, or `'any'`",
    default: 'all, with a warning',
    text: "Organizations whose users may log in; 15 or 18 characters. `'any'` is all without the warning; see [security.md](../guide/security.md#who-may-log-in)",
    parse: parseOrganizationIds,
  },
  authorizeUser: {
    ...callback<AuthorizeUser>('`(user, req) => boolean`, may be async', 'all'),
    text: 'Decides whether a user may log in; `false` or an exception refuses, and anything but `true` and `false` is an error',
  },
  onLogin: {
    ...callback<OnLogin>('`({ req, user, grantId }) => void`, may be async', 'none'),
    text: 'Called after a login, before the redirect; `req.session` is the new one. An exception ends the login again',
  },
  pages: {
    ...group(pageOptions, "{ home: '/start' }"),
    default: 'see [below](#pages)',
    text: 'Pages of the application: where a login or logout ends, and what shows errors',
  },
  refresh: {
    values: 'object',
    default: 'see [below](#refresh)',
    text: 'How tokens are refreshed: times, bounds, and what happens on a bad day',
    options: refreshOptions,
  },
  clock,
} as const satisfies Part;

function route(fallback: string | false): Required<Pick<OptionSpec<string | false>, 'values' | 'default' | 'parse'>> {
  return {
    values: 'path; or `false`',
    default: `\`${fallback}\``,
    parse: (option, value) => (value === false ? false : (checkedRoute(option, path(option, value)) ?? fallback)),
  };
}

/** A route is found by the path that a browser sends, without the slash at its end. */
function checkedRoute(option: string, route: string | undefined): string | undefined {
  if (route === undefined || route === '/' || (isPathAsSent(route) && !route.endsWith('/'))) return route;
  throw invalid(option, 'a path as browsers send it, without a slash at its end');
}

function parseRoutes(option: string, value: unknown): Parsed<typeof routeOptions> {
  const routes = group(routeOptions, "{ login: '/login' }").parse(option, value);
  if (routes.choose !== false && routes.login === false) {
    throw invalid('routes.choose', 'left out where routes.login is false, since it leads there');
  }
  const paths = Object.entries(routes).filter(([, path]) => path !== false);
  for (const [name, path] of paths) {
    const first = paths.find(([, other]) => other === path)?.[0];
    if (first !== name) throw invalid(`routes.${name}`, `another path than that of routes.${first}`);
  }
  return routes;
}

function parseStore(option: string, value: unknown): TokenStore | undefined {
  if (value === undefined) return undefined;
  const methods = [
    'read',
    'put',
    'claim',
    'renew',
    'arm',
    'releaseClaim',
    'commit',
    'addHolder',
    'logOut',
    'list',
  ] as const;
  const missing =
    typeof value === 'object' && value !== null
      ? methods.find((name) => typeof (value as Record<string, unknown>)[name] !== 'function')
      : 'every method';
  if (missing === undefined) return value as TokenStore;
  throw invalid(option, `a token store; ${missing} is missing (a session store is something else)`);
}

function parseOrganizationIds(option: string, value: unknown): readonly string[] | undefined {
  if (value === undefined || value === 'any') return undefined;
  if (!Array.isArray(value) || !value.every((id) => typeof id === 'string' && isOrganizationId(id))) {
    throw invalid(option, "an array of organization ids, which begin with '00D', or 'any'");
  }
  return (value as string[]).map(toId18);
}
