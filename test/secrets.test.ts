import { subscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import createDebug from 'debug';
import { MemoryTokenStore } from '../lib';
import { eventNames } from '../lib/coordinator/events';
import { logIn, startApp, walkToCallback } from './helpers/app';
import { collect } from './helpers/collect';
import { startTestEmulator } from './helpers/emulator';
import { ManualClock } from './helpers/clock';
import { everythingOf, secretsOf } from './helpers/leaks';

describe('no token, code, verifier or secret', () => {
  it('is seen in logs, errors, events, requests, sessions, cookies or an encrypted store', async () => {
    const clock = new ManualClock();
    const emulator = await startTestEmulator();
    const seen: string[] = [];
    const events: string[] = [];
    const store = new MemoryTokenStore({ clock });
    createDebug.enable('express-salesforce-auth:*');
    const log = jest
      .spyOn(createDebug, 'log')
      .mockImplementation((...line: unknown[]) => void seen.push(inspect(line)));
    const stderr = jest.spyOn(process.stderr, 'write').mockImplementation((line) => seen.push(String(line)) > 0);
    const { browser, salesforce, errors } = await startApp({
      emulator,
      policy: { rotateRefreshTokens: true },
      options: { clock, store, encryptionKeys: ['__test_encryption_key_of_32_chars__'] },
      routes: (app) =>
        app.get('/dump', (req, res) => {
          seen.push(everythingOf(req.salesforce), everythingOf(req.session), everythingOf({ ...req.salesforce }));
          // As a logger would, with the header that carries the cookie left in.
          seen.push(inspect(req, { depth: 4 }));
          res.json(req.salesforce);
        }),
    });
    for (const name of eventNames) {
      salesforce.events.on(name, (event: object) => events.push(everythingOf(event)));
      subscribe(`express-salesforce-auth:${name}`, (event) => events.push(everythingOf(event)));
    }
    try {
      const tab = browser();
      const login = await logIn(tab, emulator);
      seen.push(JSON.stringify(login.headers));
      await tab.get('/accounts');
      seen.push((await tab.get('/dump')).text);
      // What can go wrong, one after the other; each leaves an error and perhaps a log line.
      const faults: object[] = [
        { kind: 'status', status: 503 },
        { kind: 'error', error: 'invalid_grant', errorDescription: 'ip restricted' },
        { kind: 'error', error: 'server_error', status: 500 },
        { kind: 'drop', when: 'before' },
        { kind: 'reply', change: (reply: object) => ({ ...reply, instance_url: 'https://evil.example' }) },
        { kind: 'error', error: 'invalid_client', errorDescription: `echo ${emulator.clients.at(-1)!.clientSecret}` },
      ];
      for (const fault of faults) {
        emulator.expireAccessTokens();
        emulator.faults.inject({ on: 'refresh', ...fault } as never);
        for (let request = 0; request < 4; request++) {
          await tab.get('/accounts');
          clock.advanceSeconds(70);
        }
      }
      for (const fault of [
        { kind: 'truncated', when: 'after', complete: true },
        { kind: 'html' },
        { kind: 'reply', change: (reply: object) => ({ ...reply, refresh_token: { nested: 'x' } }) },
        { kind: 'reply', change: (reply: object) => ({ ...reply, signature: 'wrong' }) },
        {
          kind: 'reply',
          change: (reply: { access_token: string }) => ({ ...reply, id_token: `a.${reply.access_token}.c` }),
        },
        { kind: 'error', error: 'invalid_grant', errorDescription: `code ${'x'.repeat(40)}` },
      ]) {
        const callback = await walkToCallback(tab, emulator);
        emulator.faults.inject({ on: 'code', ...fault } as never);
        await tab.get(callback);
      }
      await tab.post('/auth/salesforce/logout');
      seen.push(...errors.map((error) => everythingOf(error)), inspect(store, { depth: 10, showHidden: true }));
      for await (const record of store.list()) seen.push(JSON.stringify(record));
    } finally {
      log.mockRestore();
      stderr.mockRestore();
      createDebug.disable();
    }

    const text = [...seen, ...events].join('\n');
    const leaked = [...secretsOf(emulator)].filter((secret) => text.includes(secret));
    expect(errors.length).toBeGreaterThan(8);
    expect(secretsOf(emulator).size).toBeGreaterThan(25);
    expect(emulator.presentations.size).toBeGreaterThan(5);
    expect(text).toContain('express-salesforce-auth:refresh %s refreshed');
    expect(leaked).toEqual([]);
    // Nor does an event say who it is about.
    const personal = emulator.users.flatMap(({ username, email, displayName, userId }) => [
      username,
      email,
      displayName,
      userId,
    ]);
    expect(events.length).toBeGreaterThan(50);
    expect(personal.filter((value) => events.join('\n').includes(value))).toEqual([]);
  });

  it('is stored unencrypted if there are encryption keys, and each grant opens its own payload only', async () => {
    const emulator = await startTestEmulator();
    const store = new MemoryTokenStore();
    const { browser, salesforce } = await startApp({
      emulator,
      options: { store, encryptionKeys: ['__test_encryption_key_of_32_chars__'], refresh: { cacheMs: 0 } },
    });
    await logIn(browser(), emulator, { user: 0 });
    await logIn(browser(), emulator, { user: 1 });
    const [one, two] = await collect(store.list());

    expect(one!.payload).toMatch(/^eyJ[\w-]*\.\./);
    const read = store.read.bind(store);
    jest
      .spyOn(store, 'read')
      .mockImplementation(async (grantId) => ({ ...(await read(grantId))!, payload: two!.payload }));

    await expect(salesforce.tokens.get(one!.grantId)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_GRANT_UNREADABLE',
      status: 503,
    });
  });

  it('needs its old key as long as something was sealed with it', async () => {
    const emulator = await startTestEmulator();
    const store = new MemoryTokenStore();
    const [oldKey, newKey] = ['__test_old_encryption_key_32_chars__', '__test_new_encryption_key_32_chars__'];
    const client = emulator.registerClient({ callbackURLs: [] });
    const start = async (encryptionKeys: string[]) => {
      const { salesforceAuth } = await import('../lib');
      return startApp({
        emulator,
        create: (_client, callbackURL) => {
          client.callbackURLs.push(callbackURL);
          const { clientID, clientSecret } = client;
          return salesforceAuth({ clientID, clientSecret, callbackURL, baseUrl: emulator.url, store, encryptionKeys });
        },
      });
    };
    const before = await start([oldKey]);
    const tab = before.browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };

    const without = await start([newKey]);
    const withBoth = await start([newKey, oldKey]);

    await expect(without.salesforce.tokens.get(grantId)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_GRANT_UNREADABLE',
    });
    const client2 = await withBoth.salesforce.tokens.get(grantId);
    emulator.expireAccessTokens();
    expect((await client2.fetch('/services/data/v62.0/limits')).status).toBe(200);
    // The refresh has sealed it anew.
    expect((await (await start([newKey])).salesforce.tokens.get(grantId)).accessToken).toBeDefined();
  });
});
