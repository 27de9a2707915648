import { channel } from 'node:diagnostics_channel';
import createDebug from 'debug';
import { MemoryTokenStore } from '../../../lib';
import { logIn, startApp, type TestApp } from '../../helpers/app';
import { startTestEmulator } from '../../helpers/emulator';

/** Leaks planted on purpose; leaks.test.ts runs this file in a jest of its own, in which all tests but the first have to fail. */
interface Given {
  app: TestApp;
  token: string;
  store: MemoryTokenStore;
  grantId: string;
  /** What the application does with its next request. */
  next: { error?: unknown; session?: string };
}

const plants: Record<string, (given: Given) => unknown> = {
  nothing: () => undefined,
  'a line of debug': ({ token }) => {
    createDebug('express-salesforce-auth:http')('sending %s', token);
  },
  'a line on stderr': ({ token }) => process.stderr.write(`sending ${token}\n`),
  'a hidden property of the cause of an error': ({ app, token, next }) => {
    const cause = Object.defineProperty(new Error('x'), 'reply', { value: { token } });
    next.error = new Error('x', { cause });
    return fetch(`${app.url}/next`);
  },
  'an event': ({ token }) => channel('express-salesforce-auth:login.succeeded').publish({ grantId: token }),
  'a session': ({ app, token, next }) => {
    next.session = token;
    return fetch(`${app.url}/next`);
  },
  'an encrypted store': async ({ store, grantId, token }) => {
    const { generation, version, labels } = (await store.read(grantId))!;
    const rest = { labels, writer: 'x', holder: 'x', holderMs: 60_000, softMs: null, hardMs: null };
    await store.put(grantId, { expected: { generation, version }, generation, payload: `{"a":"${token}"}`, ...rest });
  },
};

it.each(Object.keys(plants))('plants %s', async (name) => {
  const emulator = await startTestEmulator();
  const store = new MemoryTokenStore();
  const next: Given['next'] = {};
  const app = await startApp({
    emulator,
    options: { store, encryptionKeys: ['__test_encryption_key_of_32_chars__'] },
    routes: (routes) =>
      routes.get('/next', (req, res, done) => {
        if (next.session !== undefined) (req.session as unknown as Record<string, unknown>)['note'] = next.session;
        if (next.error === undefined) res.end();
        else done(next.error);
      }),
  });
  const tab = app.browser();
  await logIn(tab, emulator);
  const { grantId } = (await tab.get('/me')).body as { grantId: string };
  const { accessToken: token } = await app.salesforce.tokens.get(grantId);

  await plants[name]!({ app, token, store, grantId, next });
});
