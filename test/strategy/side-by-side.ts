import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Request, type Response } from 'express';
import expressSession from 'express-session';
import { Passport, Strategy } from 'passport';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import request from 'supertest';
import { SalesforceStrategy } from '../../lib';
import type { Emulator } from '../../lib/emulator';
import { logInAtEmulator } from '../helpers/emulator';

/** The two strategies that are compared. */
export const sides = ['passport-oauth2', 'SalesforceStrategy'] as const;
export type SideName = (typeof sides)[number];

/** What an application does in a row of the table. Everything goes to both strategies alike. */
export interface Given {
  /** Options of `passport.authenticate()` on the login route. */
  login?: object | ((name: SideName) => object);
  /** Options of `passport.authenticate()` on the callback route. */
  callback?: object | ((name: SideName) => object);
  /** A custom callback on both routes. */
  custom?: (req: Request, res: Response) => (...given: unknown[]) => void;
  /** Options of the constructor. */
  options?: object;
  /** Makes the verify function. */
  verify?: (seen: string[]) => (...given: never[]) => unknown;
  /** Makes a subclass. */
  extend?: (base: StrategyClass) => StrategyClass;
  /** What `passport.authenticate()` gets in place of the name. */
  target?: (name: string, strategy: OAuth2Strategy) => unknown;
}

export type StrategyClass = new (...given: never[]) => OAuth2Strategy;

/** One strategy in the application, and a browser. */
export interface Side {
  name: SideName;
  emulator: Emulator;
  strategy: OAuth2Strategy;
  /** What code of the application has noted. */
  seen: string[];
  get: (path: string) => Promise<string>;
  /** The parameters of the authorization request. */
  begin: (query?: string) => Promise<Record<string, string>>;
  /** Walks the login up to its callback. */
  walk: (decision?: 'allow' | 'deny') => Promise<string>;
  /** Opens a callback. */
  open: (callback: string, headers?: Record<string, string>) => Promise<string>;
  /** The whole login. */
  logIn: (decision?: 'allow' | 'deny') => Promise<string>;
  /** Another browser. */
  another: () => Side;
}

/** Loads the profile as subclasses of passport-oauth2 do. */
function plainStrategy(issuer: string): StrategyClass {
  return class extends OAuth2Strategy {
    override userProfile(accessToken: string, done: (error?: unknown, profile?: object) => void): void {
      this._oauth2.useAuthorizationHeaderforGET(true);
      this._oauth2.get(`${issuer}/services/oauth2/userinfo`, accessToken, (error, body) => {
        // The types say that there is always an error.
        if (error as object | null) done(error);
        else done(null, JSON.parse(String(body)) as object);
      });
    }
  };
}

/** Is there whenever no other strategy is. */
class Guest extends Strategy {
  override authenticate(): void {
    this.success({ id: 'guest' });
  }
}

/** Verifies everybody. Express and Passport find out the parameters by their number. */
function anybody(_token: string, _refresh: string, _params: object, profile: unknown, done: Done): void {
  done(null, { id: profile ? 'of the profile' : 'without a profile' });
}

export type Done = (error: unknown, user?: unknown, info?: object) => void;

/** One Express application with real Passport and both strategies, which have the same client at the same emulator. */
export async function startBoth(emulator: Emulator, given: Given, walked: SideName) {
  const app = express();
  const server = app.listen(0);
  await once(server, 'listening');
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const { clientID, clientSecret } = emulator.registerClient({
    callbackURLs: sides.flatMap((name) => [`${url}/${name}/callback`, `${url}/${name}/other`]),
  });
  const passport = new Passport();
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user: Express.User, done) => done(null, user));
  passport.use('guest', new Guest());
  app.use(expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }));
  app.use(passport.session());

  const browsers = {} as Record<SideName, () => Side>;
  for (const name of sides) {
    const seen: string[] = [];
    const Base = name === 'passport-oauth2' ? plainStrategy(emulator.url) : (SalesforceStrategy as never);
    const Made = given.extend?.(Base) ?? Base;
    const own =
      name === 'passport-oauth2'
        ? {
            authorizationURL: `${emulator.url}/services/oauth2/authorize`,
            tokenURL: `${emulator.url}/services/oauth2/token`,
          }
        : { baseUrl: emulator.url };
    const strategy = new Made(
      {
        ...{
          ...own,
          clientID,
          clientSecret,
          callbackURL: `${url}/${name}/callback`,
          scope: ['id', 'api', 'refresh_token'],
        },
        ...{ state: true, pkce: true },
        ...given.options,
      } as never,
      (given.verify?.(seen) ?? anybody) as never,
    );
    passport.use(name, strategy);
    const authenticate = (routeOptions: Given['login']) => {
      const options = typeof routeOptions === 'function' ? routeOptions(name) : routeOptions;
      const target = (given.target?.(name, strategy) ?? name) as string;
      const { custom } = given;
      if (!custom) return passport.authenticate(target, (options ?? {}) as never) as express.RequestHandler;
      return ((req, res, next) => {
        (passport.authenticate(target, (options ?? {}) as never, custom(req, res) as never) as express.RequestHandler)(
          req,
          res,
          next,
        );
      }) as express.RequestHandler;
    };
    app.get(`/${name}/login`, authenticate(given.login));
    app.get([`/${name}/callback`, `/${name}/other`], authenticate(given.callback), (req, res) => {
      const { id } = (req.user ?? { id: 'none' }) as { id: string };
      const visit = req.get('x-visit');
      if (visit !== undefined) seen.push(visit);
      const info = JSON.stringify(req.authInfo ?? {});
      if (!res.headersSent) res.send(`user ${id}${info === '{}' ? '' : `, info ${info}`}`);
    });
    const sideOf = (browser: ReturnType<typeof request.agent>): Side => {
      const side: Side = {
        name,
        emulator,
        strategy,
        seen,
        get: async (path) => told(await browser.get(path)),
        begin: async (query = '') => {
          const { headers, text } = await browser.get(`/${name}/login${query}`);
          const location = headers['location'];
          if (location === undefined) throw new Error(`The login did not begin: ${text}`);
          return Object.fromEntries(new URL(location).searchParams);
        },
        walk: async (decision = 'allow') => {
          const { headers, text } = await browser.get(`/${name}/login`);
          const authorizeUrl = headers['location'];
          if (authorizeUrl === undefined) throw new Error(`The login did not begin: ${text}`);
          const { username, password } = emulator.users[0]!;
          const callback = await logInAtEmulator({ authorizeUrl, username, password, decision });
          return callback.replace(url, '');
        },
        open: async (callback, headers = {}) => told(await browser.get(callback).set(headers)),
        logIn: async (decision) => side.open(await side.walk(decision)),
        another: () => sideOf(request.agent(url)),
      };
      return side;
    };
    browsers[name] = () => sideOf(request.agent(url));
  }
  app.get('/failed', (req, res) => {
    res.send(`failed: ${((req.session as { messages?: string[] }).messages ?? []).join()}`);
  });
  const onError: ErrorRequestHandler = (error: { status?: number; message: string }, _req, res, _next) => {
    if (res.headersSent) return;
    res.status(error.status ?? 500).send(`error: ${error.message}`);
  };
  app.use(onError);
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { browser: browsers[walked], close };
}

function told({ status, text, headers }: request.Response): string {
  const location = headers['location'];
  return location === undefined ? `${status} ${text}` : `${status} to ${location}`;
}
