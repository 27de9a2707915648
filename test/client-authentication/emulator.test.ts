import { createSign } from 'node:crypto';
import type { Emulator, RecordedRequest } from '../../lib/emulator';
import { logIn } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { makeKey, startAppWithKey } from './keys';

const [first, second] = [makeKey(), makeKey()];

/** Requests in which the client proved itself, or did not. */
function proofs(emulator: Emulator): { path: string; kind: string; body: Record<string, string> }[] {
  return emulator.requests
    .filter(({ path }) => /oauth2\/(token|revoke|introspect)$/.test(path))
    .map(({ path, body, headers }: RecordedRequest) => {
      const form = body as Record<string, string>;
      const isKey = form['client_assertion'] !== undefined && form['client_assertion_type']?.endsWith('jwt-bearer');
      const isSecret = form['client_secret'] !== undefined || headers['authorization'] !== undefined;
      return { path: path.split('/').pop()!, kind: isKey && !isSecret ? 'key' : 'other', body: form };
    });
}

function claimsOf(assertion: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(assertion.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
}

describe('a client with a key and no secret', () => {
  it.each([
    ['PEM text', { key: first.pem }],
    ['PEM text with its line breaks written out', { key: first.pem.replaceAll('\n', '\\n') }],
    ['a JWK', { key: first.key.export({ format: 'jwk' }) }],
    ['a KeyObject', { key: first.key, keyId: 'one' }],
    [
      'a key service',
      { sign: (input: Uint8Array) => Promise.resolve(createSign('sha256').update(input).sign(first.key)) },
    ],
  ])('logs in, refreshes and revokes, with %s', async (_, clientKey) => {
    const emulator = await startTestEmulator();
    const { browser } = await startAppWithKey(emulator, first, { clientKey });
    const tab = browser();

    await logIn(tab, emulator);
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(200);
    await tab.post('/auth/salesforce/logout');

    const sent = proofs(emulator);
    expect(sent.map(({ path, kind }) => `${path} ${kind}`)).toEqual(['token key', 'token key', 'revoke key']);
    expect(new Set(sent.map(({ body }) => claimsOf(body['client_assertion']!)['jti'])).size).toBe(3);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('says who it is, for whom and for how long', async () => {
    const emulator = await startTestEmulator();
    const { browser, keyClient } = await startAppWithKey(emulator, first, { clientKey: { key: first.key } });

    await logIn(browser(), emulator);

    const { iss, sub, aud, exp, iat } = claimsOf(proofs(emulator)[0]!.body['client_assertion']!);
    expect({ iss, sub, aud }).toEqual({
      iss: keyClient.clientID,
      sub: keyClient.clientID,
      aud: `${emulator.url}/services/oauth2/token`,
    });
    expect(Number(exp) - Number(iat)).toBe(120);
  });

  it('is told by introspection what became of a refresh whose answer was lost', async () => {
    const emulator = await startTestEmulator();
    const clock = new ManualClock();
    const { browser } = await startAppWithKey(emulator, first, { clientKey: { key: first.key }, clock });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'before' });
    await clock.advanceUntil(tab.get('/accounts').then((reply) => reply));
    clock.advanceSeconds(20);

    expect((await clock.advanceUntil(tab.get('/accounts').then((reply) => reply))).status).toBe(200);
    expect(proofs(emulator).filter(({ path }) => path === 'introspect').length).toBeGreaterThan(0);
    expect(proofs(emulator).every(({ kind }) => kind === 'key')).toBe(true);
  });

  it('is refused with another key, and the grant is kept until the certificate is there', async () => {
    const emulator = await startTestEmulator();
    const clock = new ManualClock();
    const { browser, keyClient, errors } = await startAppWithKey(emulator, first, {
      clientKey: { key: first.key },
      clock,
    });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.replaceKey(keyClient.clientID, { certificate: second.certificate });
    emulator.expireAccessTokens();

    expect((await tab.get('/accounts')).status).toBe(502);
    expect(errors.pop()).toMatchObject({ code: 'ERR_SALESFORCE_CLIENT_REJECTED' });
    emulator.replaceKey(keyClient.clientID, { certificate: first.certificate });
    clock.advanceSeconds(120);
    expect((await tab.get('/accounts')).status).toBe(200);
  });
});

describe('what a client has signed', () => {
  it('is good for one request at the emulator', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startAppWithKey(emulator, first, { clientKey: { key: first.key } });
    await logIn(browser(), emulator);
    const { body } = proofs(emulator)[0]!;

    const reply = await fetch(`${emulator.url}/services/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ ...body, code: 'another' }),
    });

    expect([reply.status, await reply.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_client' })]);
  });

  it('is refused for another audience', async () => {
    const emulator = await startTestEmulator();
    const clientKey = { key: first.key, audience: 'https://elsewhere.example/services/oauth2/token' };
    const { browser, errors } = await startAppWithKey(emulator, first, { clientKey });

    expect((await logIn(browser(), emulator)).status).toBe(502);
    expect(errors.pop()).toMatchObject({ code: 'ERR_SALESFORCE_CLIENT_REJECTED' });
  });
});

describe('a refusal that says nothing', () => {
  it.each(['null', '[]', '7', '"no"', '', '{"error":'])('is an error of this package: %s', async (body) => {
    const emulator = await startTestEmulator();
    const { browser, errors } = await startAppWithKey(emulator, first, { clientKey: { key: first.key } });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.faults.inject({ on: 'code', kind: 'status', status: 400, body });
    await logIn(browser(), emulator);
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 401, body });
    await tab.get('/accounts');

    expect(errors).toHaveLength(2);
    expect(errors).toEqual(Array(2).fill(expect.objectContaining({ code: expect.stringMatching(/^ERR_SALESFORCE_/) })));
  });
});

describe('two keys, while the key is changed', () => {
  it('log in and refresh before and after the new certificate is uploaded', async () => {
    const emulator = await startTestEmulator();
    const clock = new ManualClock();
    const { browser, keyClient } = await startAppWithKey(emulator, first, {
      clientKey: [{ key: second.key }, { key: first.key }],
      clock,
    });
    const tab = browser();
    const refresh = async (): Promise<number> => {
      emulator.requests.splice(0);
      emulator.expireAccessTokens();
      expect((await tab.get('/accounts')).status).toBe(200);
      return proofs(emulator).length;
    };

    const callback = await logIn(tab, emulator);
    expect(callback.status).toBe(302);
    // The new key was refused at the login; the former one goes first for a while.
    expect(await refresh()).toBe(1);
    clock.advanceSeconds(601);
    expect(await refresh()).toBe(2);
    emulator.replaceKey(keyClient.clientID, { certificate: second.certificate });
    expect(await refresh()).toBe(2);
    expect(await refresh()).toBe(1);
  });

  it('revoke with the one that Salesforce takes', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startAppWithKey(emulator, first, {
      clientKey: [{ key: second.key }, { key: first.key }],
    });
    const tab = browser();
    await logIn(tab, emulator);
    await tab.post('/auth/salesforce/logout');

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('do not take the answer to a refused key for the end of a grant', async () => {
    const emulator = await startTestEmulator();
    const clock = new ManualClock();
    const { browser } = await startAppWithKey(emulator, first, {
      clientKey: [{ key: second.key }, { key: first.key }],
      clock,
    });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'before' });
    await clock.advanceUntil(tab.get('/accounts').then((reply) => reply));
    // The new key is tried first again by now, and introspection says "inactive" to a client it does not believe.
    clock.advanceSeconds(601);

    // On a busy machine the clock can pass what a request waits, before Salesforce's answer is read: then 503, and again.
    let status = 503;
    for (let tries = 0; status === 503 && tries < 20; tries++) {
      ({ status } = await clock.advanceUntil(tab.get('/accounts').then((reply) => reply)));
    }
    expect(status).toBe(200);
  });
});

describe('a key service', () => {
  it('that fails is a 503 that leaves the grant as it was, and shows no reason of its own', async () => {
    const emulator = await startTestEmulator();
    const clock = new ManualClock();
    let isDown = false;
    const sign = (input: Uint8Array): Uint8Array => {
      if (isDown) throw new Error('__secret_of_the_key_service__');
      return createSign('sha256').update(input).sign(first.key);
    };
    const { browser, errors } = await startAppWithKey(emulator, first, { clientKey: { sign }, clock });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.expireAccessTokens();
    isDown = true;

    expect((await tab.get('/accounts')).status).toBe(503);
    const error = errors.pop() as { cause: { code: string } };
    expect(error.cause.code).toBe('ERR_SALESFORCE_CLIENT_KEY');
    expect(JSON.stringify(error) + String((error as { stack?: string }).stack)).not.toContain('__secret');
    isDown = false;
    clock.advanceSeconds(60);
    expect((await tab.get('/accounts')).status).toBe(200);
    expect([...emulator.presentations.values()]).toEqual([1]);
  });

  it('that does not answer is waited for as long as Salesforce', async () => {
    const emulator = await startTestEmulator();
    const clock = new ManualClock();
    let isAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const sign = (): Promise<Uint8Array> => {
      isAsked();
      return new Promise(() => undefined);
    };
    const { browser, errors } = await startAppWithKey(emulator, first, { clientKey: { sign }, clock });
    const login = logIn(browser(), emulator);
    await asked;

    expect((await clock.advanceUntil(login)).status).toBe(503);
    expect(errors.pop()).toMatchObject({ code: 'ERR_SALESFORCE_CLIENT_KEY' });
  });
});
