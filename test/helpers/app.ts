import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import cookieSession from 'cookie-session';
import express5, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import express4 from 'express4';
import expressSession from 'express-session';
import request from 'supertest';
import type { ClientPolicy, Emulator, EmulatorClient } from '../../lib/emulator';
import { requireSalesforce, salesforceAuth, type SalesforceAuth, type SalesforceAuthOptions } from '../../lib';
import type { OperatorWarning } from '../../lib/reporter';
import { logInAtEmulator } from './emulator';
import { note, requestWatch, watchJobs, watchStore } from './leaks';

export type ExpressMajor = 4 | 5;

const frameworks = { 4: express4, 5: express5 };

export interface TestApp {
  app: Express;
  client: EmulatorClient;
  url: string;
  salesforce: SalesforceAuth;
  /** A browser: a cookie jar over supertest. */
  browser: () => Browser;
  /** Errors that reached the application's error handler. */
  errors: unknown[];
  /** What the operator was told. */
  warnings: OperatorWarning[];
}

export type Browser = ReturnType<typeof request.agent>;

export interface TestAppOptions {
  emulator: Emulator;
  express?: ExpressMajor;
  /** Switches of the application's client. */
  policy?: Partial<ClientPolicy>;
  /** False for a public client. */
  clientSecret?: false;
  session?: 'express-session' | 'cookie-session' | 'none';
  /** A session middleware shared with another application. */
  sessionMiddleware?: RequestHandler;
  options?: Partial<SalesforceAuthOptions> & Record<string, unknown>;
  /** Makes the middleware, where `options` will not do. */
  create?: (client: EmulatorClient, callbackURL: string) => SalesforceAuth;
  /** Mounts further routes before the error handler. */
  routes?: (app: Express, salesforce: SalesforceAuth) => void;
}

const servers = new Set<Server>();
const middlewares = new Set<SalesforceAuth>();

/** Starts an application on a port of its own, with the callback of that port registered at the emulator. */
export async function startApp(given: TestAppOptions): Promise<TestApp> {
  const { emulator } = given;
  const app = frameworks[given.express ?? 5]() as Express;
  const server = app.listen(0, '127.0.0.1');
  servers.add(server);
  await once(server, 'listening');
  const url = `http://localhost:${String((server.address() as AddressInfo).port)}`;
  const callbackURL = `${url}/auth/salesforce/callback`;
  const client = emulator.registerClient({
    callbackURLs: [callbackURL],
    policy: given.policy,
    clientSecret: given.clientSecret,
  });
  const warnings: OperatorWarning[] = [];
  const salesforce =
    given.create?.(client, callbackURL) ??
    salesforceAuth({
      clientID: client.clientID,
      clientSecret: client.clientSecret || undefined,
      callbackURL,
      baseUrl: emulator.url,
      scope: ['openid', 'id', 'api', 'refresh_token'],
      encryptionKeys: false,
      report: (warning: OperatorWarning) => {
        warnings.push(warning);
      },
      ...given.options,
    });
  middlewares.add(salesforce);
  watchJobs(salesforce);
  if (given.options?.encryptionKeys && given.options.store) watchStore(given.options.store);
  app.use(requestWatch());
  const errors: unknown[] = [];
  if (given.sessionMiddleware) app.use(given.sessionMiddleware);
  else if (given.session === 'cookie-session')
    app.use(cookieSession({ name: 'app', keys: ['__test_cookie_key__'] }) as never);
  else if (given.session !== 'none') {
    app.use(expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }) as never);
  }
  app.use(salesforce);
  app.get('/', (req, res) => {
    res.json({ isAuthenticated: req.salesforce.isAuthenticated, user: req.salesforce.user ?? null });
  });
  app.get('/headers', (req, res) => {
    res.json({ headers: req.headers });
  });
  app.get('/me', requireSalesforce(), (req, res) => {
    res.json({ user: req.salesforce.user, grantId: req.salesforce.grantId });
  });
  app.get('/token', requireSalesforce(), (req, res) => {
    res.json({ accessToken: req.salesforce.accessToken, instanceUrl: req.salesforce.instanceUrl });
  });
  app.get('/accounts', requireSalesforce(), async (req, res, next) => {
    try {
      const reply = await req.salesforce.fetch('/services/data/v62.0/query?q=SELECT+Id,Name+FROM+Account');
      res
        .status(reply.status)
        .type('json')
        .send(await reply.text());
    } catch (error) {
      next(error);
    }
  });
  given.routes?.(app, salesforce);
  const report: ErrorRequestHandler = (error: Record<string, unknown>, _req, res, _next) => {
    errors.push(error);
    note('an error', error);
    res.set((error['headers'] as Record<string, string> | undefined) ?? {});
    res.status((error['status'] as number | undefined) ?? 500).json({ code: error['code'], message: error['message'] });
  };
  app.use(report);
  return { app, client, url, salesforce, errors, warnings, browser: () => browserOf(url) };
}

/** A browser whose user clicks through the pages of the application, as fetch metadata tells. */
export function browserOf(application: string | Express): Browser {
  const browser = request.agent(application as never);
  void browser.set('Sec-Fetch-Site', 'same-origin');
  return browser;
}

/** Makes the middleware of one of several processes of an application: each with a callback URL of its own, and one client. */
export function onClient(
  emulator: Emulator,
  client: EmulatorClient,
  options: Partial<SalesforceAuthOptions> & Record<string, unknown>,
): NonNullable<TestAppOptions['create']> {
  return (_own, callbackURL) => {
    client.callbackURLs.push(callbackURL);
    const { clientID, clientSecret } = client;
    const scope = 'id api refresh_token';
    return salesforceAuth({
      ...{ clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope, encryptionKeys: false },
      ...options,
    });
  };
}

afterEach(async () => {
  for (const salesforce of middlewares) await salesforce.close();
  middlewares.clear();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers.clear();
});

/** Walks a browser through the login up to the callback, which is returned and not opened yet. */
export async function walkToCallback(
  browser: Browser,
  emulator: Emulator,
  options: { user?: number; loginPath?: string | undefined; decision?: 'allow' | 'deny' } = {},
): Promise<string> {
  const start = await browser.get(options.loginPath ?? '/auth/salesforce');
  if (start.status !== 302) throw new Error(`The login answered ${start.status}: ${start.text}`);
  const { username, password } = emulator.users[options.user ?? 0]!;
  const callback = await logInAtEmulator({
    authorizeUrl: start.headers['location'] as string,
    username,
    password,
    decision: options.decision ?? 'allow',
  });
  const { pathname, search } = new URL(callback);
  return pathname + search;
}

/** Logs a browser in; returns the response of the callback. */
export async function logIn(
  browser: Browser,
  emulator: Emulator,
  options: Parameters<typeof walkToCallback>[2] = {},
): Promise<request.Response> {
  return browser.get(await walkToCallback(browser, emulator, options));
}
