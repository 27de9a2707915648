import express from 'express';
import expressSession from 'express-session';
import passport from 'passport';
import request from 'supertest';
import { SalesforceStrategy, type SalesforceProfile } from '../../lib/strategy';
import { startTestEmulator } from '../helpers/emulator';
import { makeKey } from './keys';

it('the strategy alone, in Passport, logs in with a key', async () => {
  const key = makeKey();
  const callbackURL = 'http://localhost:3000/callback';
  const emulator = await startTestEmulator({ callbackURLs: [callbackURL], certificate: key.certificate });
  const { clientID } = emulator.clients[0]!;
  const authenticator = new passport.Passport();
  authenticator.use(
    new SalesforceStrategy(
      { clientID, clientKey: { key: key.pem }, callbackURL, baseUrl: emulator.url, scope: 'openid id api' },
      (
        _accessToken: string,
        _refreshToken: string | undefined,
        profile: SalesforceProfile,
        done: (error: unknown, user?: object) => void,
      ) => {
        done(null, { id: profile.id });
      },
    ),
  );
  const app = express();
  app.use(expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }));
  app.get('/login', authenticator.authenticate('salesforce') as express.RequestHandler);
  app.get(
    '/callback',
    authenticator.authenticate('salesforce', { session: false }) as express.RequestHandler,
    (req, res) => {
      res.json(req.user);
    },
  );
  const browser = request.agent(app);
  const begin = await browser.get('/login').set('Host', 'localhost:3000');
  const callback = new URL(await emulator.logIn({ authorizeUrl: begin.headers['location'] as string }));

  const { body } = await browser.get(callback.pathname + callback.search).set('Host', 'localhost:3000');

  const { organizationId, userId } = emulator.users[0]!;
  expect(body).toEqual({ id: `${organizationId}/${userId}` });
  const exchange = emulator.requests.find(({ path }) => path.endsWith('/token'))!;
  expect(exchange.body).toHaveProperty('client_assertion');
  expect(exchange.body).not.toHaveProperty('client_secret');
});
