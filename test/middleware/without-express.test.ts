import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import session from 'express-session';
import request from 'supertest';
import type { SalesforceAuth } from '../../lib';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

type Step = (req: Request, res: Response, next: NextFunction) => void;

/** A server of Node alone, with the middlewares it is given and the user as its answer. */
function serve(salesforce: SalesforceAuth, ...steps: Step[]) {
  return createServer((req: IncomingMessage, res: ServerResponse) => {
    const [given, done] = [req as Request, res as Response];
    const run = ([step, ...rest]: Step[]): void => {
      if (step) step(given, done, () => run(rest));
      else
        res.end(
          JSON.stringify({
            user: salesforce.of(req).user?.username ?? null,
            same: salesforce.of(req) === salesforce.of(req),
          }),
        );
    };
    run(steps);
  });
}

describe('a request that Express has not seen', () => {
  it('knows its user, with the middleware and without, and has no routes', async () => {
    const emulator = await startTestEmulator();
    const sessions = session({ secret: '__test_session_secret__', resave: false, saveUninitialized: false });
    const { browser, salesforce } = await startApp({ emulator, sessionMiddleware: sessions });
    const tab = browser();
    await logIn(tab, emulator);
    const cookie = (await tab.get('/headers')).body.headers.cookie as string;

    for (const server of [serve(salesforce, sessions, salesforce), serve(salesforce, sessions)]) {
      const answer = await request(server).get('/auth/salesforce').set('Cookie', cookie);
      const visitor = await request(server).get('/');

      expect(JSON.parse(answer.text)).toEqual({ user: emulator.users[0]!.username, same: true });
      expect(JSON.parse(visitor.text)).toEqual({ user: null, same: true });
    }
  });
});
