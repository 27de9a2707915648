import { logInTo, type AppLogin, type AppUnderTest } from './app-login';
import { createApplication, createHostedApi } from './application';
import type { EmulatorClock } from './clock';
import type { FaultHandle, FaultInjection } from './faults/types';
import type { RecordedRequest } from './http/exchange';
import { createCertificate } from './http/certificate';
import { hostNames, inURL } from './host-names';
import { listen, listenBeside } from './listen';
import { addUser, type EmulatorUser, type NewUser } from './org/users';
import { parsePart } from '../options/names';
import { emulatorOptions } from '../options/parts/emulator';
import { checkedAppLogin, checkedFilter, checkedLogin, checkedUser } from './call-options';
import { scopesWithHostedApi, type AppAge, type ClientPolicy } from './policy';
import { Provider } from './provider';
import { walkLogin, type ScriptedLogin } from './scripted-login';
import { AddressList } from './state/addresses';
import type { ClientRegistration, EmulatorClient } from './state/clients';
import type { TokenFilter } from './state/token-filter';
import type { Violation } from './state/violations';

/** Options of {@link startEmulator}. */
export interface EmulatorOptions {
  /** Port to listen on. Default 0: any free one. */
  port?: number | undefined;
  /**
   * Address to listen on, which is then the only name of the emulator. Default: both loopback addresses, under the name
   * `localhost`.
   */
  host?: string | undefined;
  /** Callback URLs of the first client. */
  callbackURLs: readonly string[];
  /**
   * The kind of app that clients are registered as. `current`: the app that Salesforce creates now (default). `legacy`: an
   * app of before July 2026, with PKCE and rotation off and no idle limit.
   */
  app?: AppAge | undefined;
  /** Settings of the first client that differ from the settings of the `app`. */
  policy?: Partial<ClientPolicy> | undefined;
  /** Consumer Key of the first client. Default: a random fake one. */
  clientID?: string | undefined;
  /** Secret of the first client; `false` makes it public. Default: a random fake one. */
  clientSecret?: string | false | undefined;
  /** Certificate of the first client, as PEM. A client that signs with a key needs a certificate. Default: none. */
  certificate?: string | undefined;
  /** Seconds without use after which an opaque access token ends. Default 7200, as at Salesforce. */
  sessionTimeoutSeconds?: number | undefined;
  /**
   * The host of the organizations. `login-host`: the login host itself, so that one URL serves everything (default).
   * `my-domain`: a separate My Domain, as at Salesforce; `instance_url` is then `http://127.0.0.1:<port>`. A separate My
   * Domain needs the default `host`, `localhost` or all addresses of the machine.
   */
  instance?: 'login-host' | 'my-domain' | undefined;
  /**
   * Port of a host for APIs that are not on an instance, such as api.salesforce.com; 0 takes any free port. Default: no such
   * host.
   */
  apiPort?: number | undefined;
  /** Most records in one reply to a query. `nextRecordsUrl` leads to the other records. Default 200. */
  queryBatchSize?: number | undefined;
  /**
   * How authorize redirects the browser: by a `Location` header (default), or by a script in a page, as Salesforce may do.
   */
  redirectWith?: 'location' | 'javascript' | undefined;
  /**
   * Whether the emulator uses TLS, with a certificate that it makes at the start; see {@link Emulator.certificate}. Default
   * false.
   */
  https?: boolean | undefined;
  /** Most requests in {@link Emulator.requests}. At the limit, the oldest requests are removed. Default 10000. */
  maxRequests?: number | undefined;
  /**
   * Addresses and ranges with a bad reputation. If a request comes from such an address, the user of its token is frozen and
   * that user's tokens are revoked, as Salesforce's containment does. Default none.
   */
  containedAddresses?: readonly string[] | undefined;
  /** Whether there is a console at `/console`, for browsers on this machine. Default false. */
  console?: boolean | undefined;
}

/** Adds and removes faults. */
export interface FaultControl {
  /** Adds a fault. The fault hits one request, unless `times` is set. */
  inject(injection: FaultInjection): FaultHandle;
  /** Removes all faults and releases the requests that they hold or delay. */
  clear(): void;
}

/** A running emulator. */
export interface Emulator {
  /** Base URL of the login host, the OAuth endpoints and, by default, the API. It has no trailing slash. */
  readonly url: string;
  /**
   * Base URL of the My Domain host, at the same listener. Its discovery document names the logout endpoint. It is the same as
   * `url` if `host` is one address, because the emulator then has one name.
   */
  readonly myDomainUrl: string;
  /** Base URL of the Experience Cloud site of the first organization. */
  readonly siteUrl: string;
  /** URL of the host for APIs that are not on an instance, for `apiHosts`; undefined without the option `apiPort`. */
  readonly apiUrl: string | undefined;
  readonly clients: readonly EmulatorClient[];
  /** The users: two in one organization, one in another. */
  readonly users: readonly EmulatorUser[];
  /** The certificate as PEM, for `NODE_EXTRA_CA_CERTS` or `ca`. Undefined without `https`. */
  readonly certificate: string | undefined;
  /** The latest requests, up to `maxRequests`. They include secrets. */
  readonly requests: RecordedRequest[];
  /** How often each refresh token was presented to the token endpoint. */
  readonly presentations: ReadonlyMap<string, number>;
  /** Wrong presentations of refresh tokens. */
  readonly violations: Violation[];
  readonly faults: FaultControl;
  readonly clock: EmulatorClock;
  /**
   * Logs a user in as a browser would, from the authorize URL of an app through the login and approval pages.
   *
   * @param login `authorizeUrl`. Default for the rest: the first user, who allows access
   * @returns the callback URL with `code` and `state`, or with `error`. The app has not received this request yet
   * @throws Error if a page has no form, such as an error page; the message has the text of the page
   */
  logIn(login: Pick<ScriptedLogin, 'authorizeUrl'> & Partial<ScriptedLogin>): Promise<string>;
  /**
   * Logs a user in to the application under test, as a browser would.
   *
   * @param app an Express application or another request handler, or the URL at which the app listens
   * @param login default: the first user, who allows access, in a login that begins at `/auth/salesforce`
   * @returns the value of a `Cookie` header for requests of that user
   * @throws Error if the app does not lead through the login, and the message has its answer; or if it sets no cookie of a session
   */
  logInTo(app: AppUnderTest, login?: AppLogin): Promise<string>;
  /**
   * Adds a user, by default to the first organization.
   *
   * @throws RangeError if the organization does not exist
   * @throws SalesforceOptionError if another user has the username
   */
  addUser(user?: NewUser): EmulatorUser;
  /** Adds a client, with the settings that an app has in Setup. @throws SalesforceOptionError if another has the `clientID` */
  registerClient(registration: ClientRegistration): EmulatorClient;
  /** Changes settings of a client, from the next request on. */
  setPolicy(clientID: string, changes: Partial<ClientPolicy>): void;
  /**
   * Gives a client a new secret, as "Stage and apply a new secret" in Setup does. The old secret is refused from then on.
   *
   * @returns the new secret, which is also the client's `clientSecret`
   * @throws TypeError if no client has this id
   */
  rotateSecret(clientID: string): string;
  /**
   * Gives a client a new certificate or public key, as an upload in Setup does. Signatures of the old key are refused from
   * then on.
   *
   * @throws TypeError if no client has this id
   */
  replaceKey(clientID: string, key: Pick<ClientRegistration, 'publicKey' | 'certificate'>): void;
  /** Ends sessions. Their access tokens are refused; refresh tokens stay valid. */
  expireAccessTokens(filter?: TokenFilter): void;
  /** Revokes grants with all their tokens, as an administrator does. */
  revokeRefreshTokens(filter?: TokenFilter): void;
  /** Freezes a user and revokes all tokens of the user. @throws TypeError if no user has this name */
  containUser(username: string): void;
  /** Counts the tokens that are still valid. */
  liveTokens(filter?: TokenFilter): { accessTokens: number; refreshTokens: number };
  /**
   * Moves organizations to another instance, as a migration does. Open sessions end, refresh tokens stay valid, and token
   * replies have the new `instance_url` from now on. Only the new host serves data; the old host answers 401
   * INVALID_SESSION_ID. OAuth, identity URL and userinfo stay at all hosts.
   *
   * @param newOrigin another name of this emulator. Default: the other one of `http://localhost:<port>` and
   *   `http://127.0.0.1:<port>`
   * @param organizationId default: all organizations move
   * @returns the new `instance_url`
   * @throws RangeError if the organization does not exist
   * @throws TypeError if the emulator has one name and no other is given
   */
  moveInstance(newOrigin?: string, organizationId?: string): string;
  /** Closes listeners and connections. */
  stop(): Promise<void>;
}

/**
 * Starts an offline Salesforce: authorization and token endpoints with their pages, OpenID Connect, and a REST API with a few
 * records. All data is in memory, and all secrets are fake.
 *
 * @throws the error of `listen`, such as EADDRINUSE
 *
 * @example
 * import express from 'express';
 * import session from 'express-session';
 * import { salesforceAuth } from 'express-salesforce-auth';
 * import { startEmulator } from 'express-salesforce-auth/emulator';
 *
 * const emulator = await startEmulator({ callbackURLs: ['http://localhost:3000/auth/salesforce/callback'] });
 * const app = express();
 * app.use(session({ secret: 'only for development', resave: false, saveUninitialized: false }));
 * for (const { clientID, clientSecret } of emulator.clients) {
 *   app.use(salesforceAuth({ clientID, clientSecret, baseUrl: emulator.url }));
 * }
 * await emulator.stop();
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const parsed = parsePart(emulatorOptions, options, 'startEmulator()');
  const { sessionTimeoutSeconds, queryBatchSize, redirectWith, app, maxRequests } = parsed;
  const provider = new Provider({
    ...{ sessionTimeoutSeconds, queryBatchSize, redirectWith, app, maxRequests, console: parsed.console },
    containedAddresses: parsed.containedAddresses && new AddressList(parsed.containedAddresses),
  });
  const { callbackURLs, clientID, clientSecret, certificate, policy, host, apiPort } = parsed;
  const names = hostNames(host, parsed.instance);
  const initialPolicy = apiPort === undefined ? policy : { assignedScopes: scopesWithHostedApi, ...policy };
  provider.clients.register({ callbackURLs, policy: initialPolicy, clientID, clientSecret, certificate });
  const secure = parsed.https
    ? createCertificate([...new Set([names.login, 'localhost', '127.0.0.1', '::1'])])
    : undefined;
  const { address } = names;
  const listener = await listen(createApplication(provider), parsed.port, address, secure);
  const apiListener =
    apiPort === undefined
      ? undefined
      : await listenBeside(listener, createHostedApi(provider), apiPort, address, secure);
  const { hosts, grants } = provider;
  // As every client writes an origin: without the default port of the scheme.
  const originOf = (name: string, { port } = listener): string =>
    new URL(`http${secure ? 's' : ''}://${inURL(name)}:${port}`).origin;
  hosts.login = originOf(names.login);
  hosts.myDomain = originOf(names.myDomain);
  for (const name of ['localhost', '127.0.0.1', '::1']) hosts.origins.add(originOf(name));
  hosts.origins.add(hosts.login);
  const moveTo = (origin: string, organizationId?: string): void => {
    if (organizationId !== undefined && !provider.organizations.some((one) => one.organizationId === organizationId)) {
      throw new RangeError(`The emulator has no organization ${organizationId}.`);
    }
    hosts.origins.add(origin);
    for (const organization of provider.organizations) {
      if (organizationId !== undefined && organization.organizationId !== organizationId) continue;
      hosts.instances.set(organization.organizationId, origin);
      grants.expireAccessTokens({ organizationId: organization.organizationId });
    }
  };
  moveTo(parsed.instance === 'my-domain' ? hosts.myDomain : hosts.login);

  const ca = secure?.certificate;
  return {
    url: hosts.login,
    myDomainUrl: hosts.myDomain,
    siteUrl: hosts.login + hosts.sitePath,
    apiUrl: apiListener && originOf(names.login, apiListener),
    certificate: secure?.certificate,
    clients: provider.clients.list,
    users: provider.users,
    requests: provider.requests,
    presentations: provider.presentations.counts,
    violations: provider.presentations.violations,
    faults: provider.faults,
    clock: provider.clock,
    // Both are async, so that a wrong option rejects the promise as every other error does.
    logIn: async (login) => walkLogin({ ...checkedLogin(login, provider.users), ca: login.ca ?? ca }),
    logInTo: async (app, login = {}) => logInTo(app, { ...checkedAppLogin(login, provider.users), ca: login.ca ?? ca }),
    addUser: (user = {}) => addUser(provider, checkedUser(user)),
    registerClient: (registration) => provider.clients.register(registration),
    rotateSecret: (clientID) => provider.clients.rotateSecret(clientID),
    replaceKey: (clientID, key) => {
      provider.clients.replaceKey(clientID, key);
    },
    setPolicy: (clientID, changes) => {
      provider.clients.setPolicy(clientID, changes);
    },
    expireAccessTokens: (filter = {}) => {
      grants.expireAccessTokens(checkedFilter(filter, 'expireAccessTokens()'));
    },
    revokeRefreshTokens: (filter = {}) => {
      grants.revokeAll(checkedFilter(filter, 'revokeRefreshTokens()'));
    },
    containUser: (username) => {
      const user = provider.users.find((known) => known.username === username);
      if (!user) throw new TypeError(`The emulator has no user "${username}".`);
      provider.contain(user);
    },
    liveTokens: (filter = {}) => grants.liveTokens(checkedFilter(filter, 'liveTokens()')),
    moveInstance: (newOrigin, organizationId) => {
      const current = provider.instanceOf(organizationId ?? provider.organizations[0]?.organizationId ?? '');
      const { origin } = new URL(newOrigin ?? (current === hosts.login ? hosts.myDomain : hosts.login));
      if (newOrigin === undefined && origin === current) {
        throw new TypeError(`The emulator has only the name ${origin}. Name another origin that leads to it.`);
      }
      moveTo(origin, organizationId);
      return origin;
    },
    stop: async () => {
      // Requests that wait at a fault are released first. Their handlers would otherwise outlive the emulator.
      provider.faults.clear();
      await Promise.all([listener.close(), apiListener?.close()]);
    },
  };
}
