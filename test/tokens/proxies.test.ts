/** @again newest-node */
import type { FaultKind } from '../../lib/emulator';
import { logIn } from '../helpers/app';
import { loggedIn } from './support';

/** What an Envoy proxy answers if its connection to Salesforce breaks. */
const envoy = (reason: string): FaultKind => ({
  kind: 'status',
  status: 503,
  body: `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`,
});

type Send = typeof fetch;

/** An application whose requests for tokens, after its login, go through something between it and Salesforce. */
async function behind(between: (send: () => Promise<Response>) => Promise<Response>) {
  const way: { between: typeof between | undefined } = { between: undefined };
  const through: Send = (url, init) => {
    const send = (): Promise<Response> => fetch(url, init);
    const isRefresh = new URLSearchParams(init?.body as URLSearchParams).get('grant_type') === 'refresh_token';
    return isRefresh && way.between ? way.between(send) : send();
  };
  const app = await loggedIn({ options: { fetch: through } });
  way.between = between;
  return { ...app, mend: () => (way.between = undefined) };
}

/** An error as `fetch` has it. */
function failed(code: string, syscall: string): TypeError {
  const cause = Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
  return new TypeError('fetch failed', { cause });
}

type App = Pick<Awaited<ReturnType<typeof loggedIn>>, 'emulator' | 'tab' | 'clock'>;

/** The answer was lost with the rotated token: one login, and the spent token is presented to nobody again. */
async function expectOneLogin({ emulator, tab, clock }: App): Promise<void> {
  const first = await tab.get('/accounts');
  clock.advanceSeconds(6);
  const second = await tab.get('/accounts');

  expect(first.body.code).toBe('ERR_SALESFORCE_REFRESH_IN_DOUBT');
  expect(second.status).toBe(401);
  expect([...emulator.presentations.values()]).toEqual([1]);
  await logIn(tab, emulator);
  expect((await tab.get('/accounts')).status).toBe(200);
}

describe('an answer that a proxy has changed on its way', () => {
  it.each<[string, FaultKind]>([
    ['204 without a body', { kind: 'status', status: 204, body: '' }],
    ['202 with a page', { kind: 'status', status: 202 }],
    ['503 of a proxy whose connection was cut off', envoy('connection termination')],
    ['503 of a proxy whose stream was reset', envoy('remote reset')],
  ])('to %s counts as lost', async (_what, fault) => {
    const app = await loggedIn();
    app.emulator.expireAccessTokens();
    app.emulator.faults.inject({ on: 'refresh', when: 'after', ...fault });

    await expectOneLogin(app);
  });

  it('to 203 with the tokens is taken as it is', async () => {
    const { emulator, tab } = await behind(async (send) => {
      const { body, headers } = await send();
      return new Response(body, { status: 203, headers });
    });

    for (let round = 0; round < 2; round++) {
      emulator.expireAccessTokens();
      expect((await tab.get('/accounts')).status).toBe(200);
    }
    expect([...emulator.presentations.values()]).toEqual([1, 1]);
  });

  it.each(['connection failure', 'overflow', 'remote refused stream reset'])(
    'to 503, since it did not pass the request on (%s), costs a pause only',
    async (reason) => {
      const { emulator, tab, clock } = await loggedIn();
      emulator.expireAccessTokens();
      emulator.faults.inject({ on: 'refresh', ...envoy(reason) });

      const first = await tab.get('/accounts');
      clock.advanceSeconds(7);
      const second = await tab.get('/accounts');

      expect(first.body.code).toBe('ERR_SALESFORCE_REFRESH_DELAYED');
      expect(second.status).toBe(200);
    },
  );
});

describe('a route to Salesforce that breaks', () => {
  it.each(['EHOSTUNREACH', 'ENETUNREACH', 'ECONNREFUSED'])(
    'while the answer is waited for (%s) leaves the refresh token in doubt',
    async (code) => {
      const app = await behind(async (send) => {
        await send();
        throw failed(code, 'read');
      });
      app.emulator.expireAccessTokens();

      await expectOneLogin(app);
    },
  );

  it.each(['EHOSTUNREACH', 'ETIMEDOUT', 'ECONNRESET'])(
    'before there is a connection (%s) costs a pause only',
    async (code) => {
      const { emulator, tab, clock, mend } = await behind(() => Promise.reject(failed(code, 'connect')));
      emulator.expireAccessTokens();

      const first = await tab.get('/accounts');
      mend();
      clock.advanceSeconds(2);
      const second = await tab.get('/accounts');

      expect(first.body.code).toBe('ERR_SALESFORCE_REFRESH_DELAYED');
      expect(second.status).toBe(200);
      expect([...emulator.presentations.values()]).toEqual([1]);
    },
  );
});
