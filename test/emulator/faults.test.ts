import type { Emulator, FaultHandle, FaultInjection } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { takeViolations } from '../helpers/oracle';
import { authorize, authorizeUrl, exchangeCode, get, logIn, post, refresh, type Json } from './support';

let emulator: Emulator;
let tokens: Json;
beforeEach(async () => {
  emulator = await startTestEmulator({ policy: { rotateRefreshTokens: true } });
  tokens = await logIn(emulator);
});

const again = (): ReturnType<typeof refresh> => refresh(emulator, tokens.refresh_token);

describe('faults.inject', () => {
  it('hits one request before its operation by default', async () => {
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, retryAfterSeconds: 7 });

    const struck = await again();
    const next = await again();

    expect(struck.status).toBe(503);
    expect(struck.headers.get('retry-after')).toBe('7');
    expect(next.status).toBe(200);
    expect(emulator.presentations.get(tokens.refresh_token)).toBe(2);
  });

  it('hits as many requests as it should, and counts them', async () => {
    const fault = emulator.faults.inject({
      on: 'data',
      kind: 'error',
      error: 'REQUEST_LIMIT_EXCEEDED',
      status: 403,
      times: 2,
    });
    const url = `${emulator.url}/services/data/v64.0/limits`;

    const statuses = [];
    for (let call = 0; call < 3; call++) statuses.push((await get(url, tokens.access_token)).status);

    expect(statuses).toEqual([403, 403, 200]);
    expect(fault.hits).toBe(2);
  });

  it('hits every request until it is removed', async () => {
    const fault = emulator.faults.inject({ on: 'userinfo', kind: 'empty', times: Infinity });
    const url = `${emulator.url}/services/oauth2/userinfo`;

    expect((await get(url, tokens.access_token)).text).toBe('');
    expect((await get(url, tokens.access_token)).text).toBe('');
    fault.remove();
    expect((await get(url, tokens.access_token)).json['sub']).toBe(tokens.id);
  });

  it('hits the requests that match', async () => {
    emulator.faults.inject({
      on: 'token',
      kind: 'drop',
      match: ({ body }) => body?.['grant_type'] === 'authorization_code',
    });

    expect((await again()).status).toBe(200);
    await expect(exchangeCode(emulator, 'any')).rejects.toThrow();
  });

  it('can be cleared, which releases held requests', async () => {
    const hold = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const held = again();
    await hold.reached;
    emulator.faults.inject({ on: 'code', kind: 'drop' });
    emulator.faults.clear();

    expect((await held).status).toBe(200);
    expect((await exchangeCode(emulator, 'any')).status).toBe(400);
  });
});

it.each<[what: string, end: (fault: FaultHandle) => void]>([
  ['clear()', () => emulator.faults.clear()],
  ['release()', (fault) => fault.release()],
  ['remove()', (fault) => fault.remove()],
])('%s ends a delay of hours', async (_what, end) => {
  const slow = emulator.faults.inject({ on: 'refresh', kind: 'delay', delayMs: 36_000_000 });
  const delayed = again();
  await slow.reached;
  end(slow);

  expect((await delayed).status).toBe(200);
});

describe('the moment of a fault', () => {
  it('loses the reply after the rotation: the token is spent, and a second try revokes the grant', async () => {
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'after' });

    await expect(again()).rejects.toThrow();
    expect(emulator.liveTokens().refreshTokens).toBe(1);
    expect((await again()).json['error_description']).toBe('expired access/refresh token');

    expect(takeViolations(emulator)).toMatchObject([{ kind: 'spent' }]);
    expect(emulator.liveTokens().refreshTokens).toBe(0);
  });

  it('drops the request before the rotation: the token is still good', async () => {
    emulator.faults.inject({ on: 'refresh', kind: 'drop' });

    await expect(again()).rejects.toThrow();
    expect((await again()).status).toBe(200);
  });

  it('holds a request with the rotation done or not done', async () => {
    const before = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const first = again();
    await before.reached;
    expect(emulator.liveTokens().accessTokens).toBe(1);
    before.release();
    const current = (await first).json.refresh_token;

    const after = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    const second = refresh(emulator, current);
    await after.reached;
    expect(emulator.liveTokens().accessTokens).toBe(3);
    after.release();
    expect((await second).status).toBe(200);
  });

  it('ends a hanging request when its client disconnects', async () => {
    const fault = emulator.faults.inject({ on: 'refresh', kind: 'hang' });
    const controller = new AbortController();
    const hanging = get(`${emulator.url}/services/oauth2/token`, undefined, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }),
      signal: controller.signal,
    }).catch(() => 'left');
    await fault.reached;
    controller.abort();

    expect(await hanging).toBe('left');
    // The lock is given back when the server notices; polling would be a presentation, so liveness is what is checked.
    expect(emulator.liveTokens().refreshTokens).toBe(1);
  });
});

describe('the shapes of a fault', () => {
  const inject = (fault: FaultInjection): void => void emulator.faults.inject(fault);

  it('sends an error in the format of each endpoint', async () => {
    const error = { kind: 'error', error: 'server_error', errorDescription: 'it broke' } as const;
    for (const on of ['token', 'revoke', 'userinfo', 'identity', 'data', 'introspect', 'authorize'] as const)
      inject({ ...error, on });
    const { url } = emulator;
    const { access_token, id } = tokens;

    expect((await post(`${url}/services/oauth2/token`, {})).json).toEqual({
      error: 'server_error',
      error_description: 'it broke',
    });
    expect((await post(`${url}/services/oauth2/revoke`, {})).text).toBe(
      'error=server_error&error_description=it+broke',
    );
    expect(await get(`${url}/services/oauth2/userinfo`, access_token)).toMatchObject({
      status: 403,
      text: 'server_error',
    });
    expect(await get(id, access_token)).toMatchObject({ status: 403, text: 'server_error' });
    expect((await get(`${url}/services/data/v64.0`, access_token)).json).toEqual([
      { errorCode: 'server_error', message: 'it broke' },
    ]);
    expect((await post(`${url}/services/oauth2/introspect`, {})).json['error']).toBe('server_error');
    expect((await get(authorizeUrl(emulator))).headers.get('location')).toContain(
      'error=server_error&error_description=it+broke&state=',
    );
  });

  it.each(['Connected app is not attached to Agent', 'This session is not valid for use with the REST API'])(
    'answers 401 without expiry: %s',
    async (errorDescription) => {
      inject({ on: 'data', kind: 'error', error: 'INVALID_SESSION_ID', errorDescription, status: 401 });

      const reply = await get(`${emulator.url}/services/data/v64.0/limits`, tokens.access_token);

      expect(reply).toMatchObject({
        status: 401,
        json: [{ message: errorDescription, errorCode: 'INVALID_SESSION_ID' }],
      });
    },
  );

  it('sends a web page instead of JSON', async () => {
    inject({ on: 'refresh', kind: 'html' });

    const reply = await again();

    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toContain('text/html');
  });

  it('cuts a reply off, with the connection or in the text alone', async () => {
    inject({ on: 'refresh', kind: 'truncated' });
    await expect(again()).rejects.toThrow();

    inject({ on: 'refresh', kind: 'truncated', complete: true, when: 'after' });
    const reply = await again();
    expect(reply.status).toBe(200);
    expect(reply.text.startsWith('{"access_token":"00D')).toBe(true);
    expect(reply.json).toEqual({});
  });

  it('sends too many bytes', async () => {
    inject({ on: 'refresh', kind: 'oversized', bytes: 1_000_000 });

    expect((await again()).text.length).toBeGreaterThan(1_000_000);
  });

  it('sends one byte at a time', async () => {
    inject({ on: 'userinfo', kind: 'drip', intervalMs: 0 });
    const response = await fetch(`${emulator.url}/services/oauth2/userinfo`);
    const reader = response.body!.getReader();

    expect((await reader.read()).value!.length).toBeLessThan(20);
    await reader.cancel();
  });

  it('redirects to another host', async () => {
    inject({ on: 'userinfo', kind: 'redirect', location: 'https://evil.example/collect' });

    const reply = await get(`${emulator.url}/services/oauth2/userinfo`, tokens.access_token);

    expect(reply.status).toBe(302);
    expect(reply.headers.get('location')).toBe('https://evil.example/collect');
  });

  it('changes a reply', async () => {
    inject({ on: 'code', kind: 'reply', change: (reply) => ({ ...reply, id: 'https://evil.example/id/1/2' }) });

    const code = (await authorize(emulator)).get('code')!;
    const reply = await exchangeCode(emulator, code);

    expect(reply.json).toMatchObject({ id: 'https://evil.example/id/1/2', access_token: expect.any(String) });
  });

  it('delays a reply', async () => {
    inject({ on: 'refresh', kind: 'delay', delayMs: 20 });
    const start = performance.now();

    expect((await again()).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
  });
});
