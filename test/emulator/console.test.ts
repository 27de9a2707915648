import { request as httpRequest } from 'node:http';
import type { Emulator } from '../../lib/emulator';
import { Feed } from '../../lib/emulator/console/feed';
import { startTestEmulator } from '../helpers/emulator';
import { defaultCallbackURL } from '../helpers/emulator';
import { takeViolations } from '../helpers/oracle';
import { authorizeUrl, pkce, refresh } from './support';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startTestEmulator({ console: true, callbackURLs: [defaultCallbackURL] });
});

const page = async (): Promise<string> => (await fetch(`${emulator.url}/console`)).text();

function post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  const body = new URLSearchParams(fields);
  return fetch(`${emulator.url}/console/${path}`, { method: 'POST', body, headers, redirect: 'manual' });
}

/** A whole login, so that there is something to show. */
async function logIn(): Promise<{ access_token: string; refresh_token: string; code: string }> {
  const callback = new URL(await emulator.logIn({ authorizeUrl: authorizeUrl(emulator) }));
  const code = callback.searchParams.get('code') ?? '';
  const { clientID, clientSecret } = emulator.clients[0]!;
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    client_id: clientID,
    client_secret: clientSecret,
    redirect_uri: defaultCallbackURL,
    code_verifier: pkce.verifier,
  });
  const reply = await fetch(`${emulator.url}/services/oauth2/token`, { method: 'POST', body });
  return { ...((await reply.json()) as { access_token: string; refresh_token: string }), code };
}

describe('GET /console', () => {
  it('shows requests, grants, users and clients, and masks every secret', async () => {
    const { access_token, refresh_token, code } = await logIn();
    await fetch(`${emulator.url}/services/data/v62.0/limits`, { headers: { authorization: `Bearer ${access_token}` } });

    const html = await page();

    expect(html).toContain('POST /services/oauth2/token');
    expect(html).toContain('authorization_code');
    expect(html).toContain('GET /services/data/v62.0/limits');
    expect(html).toContain('ada@acme.example');
    expect(html).toContain(emulator.clients[0]!.clientID);
    expect(html).toContain('1 valid access token');
    for (const secret of [access_token, refresh_token, code, emulator.clients[0]!.clientSecret]) {
      expect(html).not.toContain(secret);
    }
    expect(html).toContain(`…${access_token.slice(-4)}`);
  });

  it('shows the latest violations, and counts all', async () => {
    const { refresh_token } = await logIn();
    emulator.setPolicy(emulator.clients[0]!.clientID, { locked: false, rotateRefreshTokens: true });
    for (let time = 0; time < 25; time++) await refresh(emulator, refresh_token);

    const html = await page();

    expect(html).toContain('<dt>Violations</dt><dd>24</dd>');
    expect(html.match(/presentation \d+, at/g)).toHaveLength(20);
    expect(html).toContain('presentation 25, at');
    expect(html).not.toContain('presentation 2, at');
    expect(takeViolations(emulator)).toHaveLength(24);
  });

  it('is not in the requests of the emulator', async () => {
    await page();

    expect(emulator.requests).toEqual([]);
  });

  it('escapes what clients send', async () => {
    await fetch(`${emulator.url}/services/oauth2/authorize?client_id=${encodeURIComponent('<img src=x>')}`);

    expect(await page()).not.toContain('<img');
  });

  it('exists only if the option is set', async () => {
    const other = await startTestEmulator();

    expect((await fetch(`${other.url}/console`)).status).toBe(404);
  });

  it.each([
    ['by a foreign name', { host: 'emulator.example' }],
    ['through a proxy', { 'x-forwarded-for': '192.0.2.1' }],
  ])('does not exist %s', async (_how, headers) => {
    const status = await new Promise((resolve, reject) => {
      httpRequest(`${emulator.url}/console`, { headers }, (res) => {
        res.resume();
        resolve(res.statusCode);
      })
        .once('error', reject)
        .end();
    });

    expect(status).toBe(404);
  });
});

describe('GET /console/events', () => {
  it('sends requests when they arrive', async () => {
    const { body } = await fetch(`${emulator.url}/console/events`);
    const reader = (body as unknown as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    let text = '';
    const until = async (what: string): Promise<void> => {
      while (!text.includes(what)) text += Buffer.from((await reader.next()).value as Uint8Array).toString();
    };
    await until('No requests yet. New requests appear here.');

    await fetch(`${emulator.url}/id/keys`);

    await until('GET /id/keys');
    expect(text).toContain('data: ');
  });
});

describe('the feed', () => {
  it('tells the other consoles if one of them cannot be updated, and tries that one again', async () => {
    const feed = new Feed();
    let failures = 0;
    feed.subscribe(() => {
      failures += 1;
      throw new Error('cannot be updated');
    });

    for (const expected of [1, 2]) {
      await new Promise<void>((resolve) => {
        const unsubscribe = feed.subscribe(() => {
          unsubscribe();
          resolve();
        });
        feed.changed();
      });
      expect(failures).toBe(expected);
    }
  });
});

describe('POST /console/…', () => {
  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf', '', '2 hours'])(
    'does nothing for a step or a kind that no form offers: "%s"',
    async (name) => {
      emulator.clock.freeze();
      const before = emulator.clock.now();

      const replies = [await post('clock', { step: name }), await post('fault', { on: 'refresh', kind: name })];

      expect(replies.map(({ status }) => status)).toEqual([303, 303]);
      expect(emulator.clock.now()).toBe(before);
      expect(await page()).toContain('<dt>Active faults</dt><dd>none</dd>');
    },
  );

  it.each(['refresh', 'data', 'hosted-api'])('adds a fault of %s', async (on) => {
    expect(await page()).toContain(`<option value="${on}">`);

    await post('fault', { on, kind: 'dropped connection', repeat: 'yes' });

    expect(await page()).toContain(`drop on ${on} (until removed)`);
  });

  it('expires and revokes, of one user or all', async () => {
    await logIn();

    await post('expire', { username: 'grace@acme.example' });
    expect(emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
    await post('expire', { username: 'ada@acme.example' });
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 1 });
    const reply = await post('revoke', { username: '' });

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect([reply.status, reply.headers.get('location')]).toEqual([303, '/console']);
  });

  it('moves the clock, adds and removes faults, and turns rotation on', async () => {
    emulator = await startTestEmulator({ console: true, app: 'legacy' });
    const before = emulator.clock.now();

    await post('clock', { step: '1 hour' });
    await post('fault', { on: 'identity', kind: '500, a server error' });
    await post('rotate', { client: emulator.clients[0]!.clientID });

    expect(emulator.clock.now() - before).toBeGreaterThanOrEqual(3_600_000);
    expect(emulator.clients[0]!.policy.rotateRefreshTokens).toBe(true);
    expect(await page()).toContain('status on identity (1 left)');
    await post('clear', {});
    expect(await page()).toContain('<dd>none</dd>');
    expect(await page()).not.toContain('status on identity');
  });

  it('refuses forms of other sites', async () => {
    await logIn();

    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]) {
      expect((await post('revoke', {}, headers as unknown as Record<string, string>)).status).toBe(403);
    }

    expect(emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
  });
});
