/* eslint-disable @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-argument -- Passport's types know one version, and no custom statuses */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { Router, type ErrorRequestHandler, type Request, type RequestHandler } from 'express';
import expressSession from 'express-session';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import request from 'supertest';
import { SalesforceStrategy } from '../../lib/strategy';
import type { Emulator, EmulatorClient } from '../../lib/emulator';
import { logInAtEmulator } from '../helpers/emulator';

export type Kind = 'plain' | 'ours';

/** What Passport and its helpers take, whichever version they are. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
export type Loose = any;

/** What one row sets up. Whatever a row leaves out is as in Passport's own documentation. */
export interface Setup {
  options?: object;
  verify?: (...given: never[]) => unknown;
  /** Options of both calls of `passport.authenticate()`. */
  call?: object;
  login?: object;
  callback?: object;
  custom?: (context: { req: Request; res: Loose; next: (error?: unknown) => void }) => (...given: Loose[]) => unknown;
  /** What is handed to `passport.authenticate()` in place of the name. */
  target?: (made: { strategy: Loose; name: string }) => unknown;
  /** Members of a subclass. */
  extend?: (base: Loose) => Loose;
}

/** One strategy, mounted with a login and a callback of its own. */
export interface Mounted {
  kind: Kind;
  path: string;
  strategy: Loose;
  client: EmulatorClient;
  emulator: Emulator;
  passport: Loose;
  browser: () => Browser;
}

export type Browser = ReturnType<typeof request.agent>;

/** One application in which rows mount a plain passport-oauth2 and SalesforceStrategy beside each other. */
export class SideBySide {
  readonly #routes = Router();
  readonly #passport: Loose;
  readonly #emulator: Emulator;
  #server!: Server;
  #count = 0;
  url = '';

  constructor(passport: Loose, emulator: Emulator) {
    this.#passport = passport;
    this.#emulator = emulator;
  }

  async start(): Promise<void> {
    const app = express();
    const passport = this.#passport;
    app.use(expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }));
    app.use(((req: Loose, _res, next) => {
      req.flash = (type: string, message: string) => void (req.session.messages = [`${type}: ${message}`]);
      next();
    }) as RequestHandler);
    app.use(passport.initialize());
    app.use(passport.session());
    passport.serializeUser((user: Loose, done: Loose) => done(null, user));
    passport.deserializeUser((user: Loose, done: Loose) => done(null, user));
    app.use(this.#routes);
    app.get('/who', (req, res) => void res.json({ user: req.user ?? null, session: (req.session as Loose).messages }));
    const report: ErrorRequestHandler = (error: Loose, _req, res, _next) => {
      if (res.headersSent) return void res.end();
      res.status(error?.status ?? 500).json({ error: error?.name ?? String(error), code: error?.code });
    };
    app.use(report);
    this.#server = app.listen(0);
    await once(this.#server, 'listening');
    this.url = `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  mount(kind: Kind, setup: Setup): Mounted {
    const name = `${kind}-${++this.#count}`;
    const path = `/${name}`;
    const passport = this.#passport;
    const emulator = this.#emulator;
    const client = emulator.registerClient({
      callbackURLs: [`${this.url}${path}/callback`, `${this.url}${path}/other`],
      policy: { rotateRefreshTokens: true },
    });
    const Base: Loose = kind === 'ours' ? SalesforceStrategy : OAuth2Strategy;
    const Class: Loose = setup.extend ? setup.extend(Base) : Base;
    const hosts =
      kind === 'ours'
        ? { baseUrl: emulator.url }
        : {
            authorizationURL: `${emulator.url}/services/oauth2/authorize`,
            tokenURL: `${emulator.url}/services/oauth2/token`,
            state: true,
            pkce: true,
          };
    const { clientID, clientSecret } = client;
    const strategy = new Class(
      {
        ...{ clientID, clientSecret, callbackURL: `${path}/callback`, scope: 'id api refresh_token' },
        ...hosts,
        ...setup.options,
      },
      setup.verify ??
        ((_accessToken: string, _refreshToken: string, _profile: object, done: Loose) => done(null, { id: 1 })),
    );
    passport.use(name, strategy);
    const target = setup.target?.({ strategy, name }) ?? name;
    const guard = (options: object): RequestHandler => {
      const { custom } = setup;
      if (!custom) return passport.authenticate(target, options);
      return (req, res, next) => passport.authenticate(target, options, custom({ req, res, next }))(req, res, next);
    };
    const answer: RequestHandler = (req: Loose, res) => {
      const { user, authInfo, account } = req;
      res.json({ user, info: authInfo, account });
    };
    this.#routes.get(`${path}/login`, guard({ ...setup.call, ...setup.login }), answer);
    for (const end of ['callback', 'other']) {
      this.#routes.get(`${path}/${end}`, guard({ ...setup.call, ...setup.callback }), answer);
    }
    return { kind, path, strategy, client, emulator, passport, browser: () => request.agent(this.url) };
  }
}

/** What the authorization request says, without what is random. */
export async function begun({ path }: Mounted, browser: Browser): Promise<URLSearchParams> {
  const start = await browser.get(`${path}/login`);
  if (start.status !== 302) throw new Error(`The login answered ${start.status}: ${start.text}`);
  return new URL(start.headers['location']!).searchParams;
}

/** Walks a browser up to its callback, which is not opened yet. */
export async function walk(
  { path, emulator }: Mounted,
  browser: Browser,
  decision: 'allow' | 'deny' = 'allow',
): Promise<string> {
  const start = await browser.get(`${path}/login`);
  if (start.status !== 302) throw new Error(`The login answered ${start.status}: ${start.text}`);
  const { username, password } = emulator.users[0]!;
  const callback = await logInAtEmulator({ authorizeUrl: start.headers['location']!, username, password, decision });
  return callback.replace(/^https?:\/\/[^/]+/, '');
}

/** What an answer shows to the browser, in one line. */
export function seen({ status, headers, text, body }: request.Response): string {
  if (status === 302)
    return `302 to ${headers['location']!.replace(/^https?:\/\/localhost:\d+\/services/, 'Salesforce')}`;
  const shown = Object.keys(body as object).length > 0 ? JSON.stringify(body) : text;
  return `${status} ${shown}`;
}

/** Logs in, or is denied, and says what the callback answers. */
export async function logIn(mounted: Mounted, decision: 'allow' | 'deny' = 'allow'): Promise<string> {
  const browser = mounted.browser();
  return seen(await browser.get(await walk(mounted, browser, decision)));
}
