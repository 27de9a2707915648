import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/* A session middleware of another make, whose `save` and `regenerate` give promises in place of calling back. */

function promisingSessions({ fails = false } = {}): RequestHandler {
  const stored = new Map<string, object>();
  return (req, res, next) => {
    let id = /sid=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1];
    const make = (): void => {
      id ??= randomUUID();
      const own = id;
      const session = { ...stored.get(own) };
      Object.defineProperties(session, {
        save: {
          value: () => {
            if (fails) return Promise.reject(new Error('The store is away.'));
            stored.set(own, { ...session });
            return Promise.resolve();
          },
        },
        regenerate: {
          value: () => {
            stored.delete(own);
            id = undefined;
            make();
            return Promise.resolve();
          },
        },
      });
      (req as { session: unknown }).session = session;
      res.setHeader('Set-Cookie', `sid=${own}; Path=/; HttpOnly`);
    };
    make();
    next();
  };
}

it('keeps a login, in a new session', async () => {
  const emulator = await startTestEmulator();
  const { browser } = await startApp({ emulator, sessionMiddleware: promisingSessions() });
  const tab = browser();

  expect((await logIn(tab, emulator)).status).toBe(302);

  expect((await tab.get('/me')).status).toBe(200);
});

it('fails a login with the error of its store', async () => {
  const emulator = await startTestEmulator();
  const { browser } = await startApp({ emulator, sessionMiddleware: promisingSessions({ fails: true }) });

  const answer = await logIn(browser(), emulator);

  expect([answer.status, answer.body.code]).toEqual([503, 'ERR_SALESFORCE_SESSION_STORE']);
});
