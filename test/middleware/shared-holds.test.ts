import { MemoryTokenStore } from '../../lib';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback, type Browser, type TestApp } from '../helpers/app';

/*
 * Sessions that a browser got from one login, or from logins that ended together, hold the grant under one name. A request that fails,
 * or comes again, must not end the hold of another one.
 */

/** Another tab of a browser: it has the cookies of the browser, and gets its answers for itself. */
async function tabOf(app: TestApp, browser: Browser): Promise<Browser> {
  const { headers } = (await browser.get('/headers')).body as { headers: { cookie?: string } };
  return app.browser().set('Cookie', headers.cookie ?? '');
}

/** An onLogin whose calls of these numbers fail. */
function failingAt(...failing: number[]) {
  let calls = 0;
  return () => {
    calls += 1;
    if (failing.includes(calls)) throw new Error('The database of the application was away.');
  };
}

/** The live refresh tokens once everything in the background is done. */
async function liveAtEnd({ salesforce }: TestApp, emulator: Awaited<ReturnType<typeof startTestEmulator>>) {
  await salesforce.close();
  return emulator.liveTokens().refreshTokens;
}

describe('a login that fails in onLogin', () => {
  it('leaves the login of another tab alone, which was first', async () => {
    const emulator = await startTestEmulator();
    const app = await startApp({ emulator, options: { onLogin: failingAt(2) } });
    const browser = app.browser();
    const callbacks = [await walkToCallback(browser, emulator), await walkToCallback(browser, emulator)] as const;
    const second = await tabOf(app, browser);
    expect((await browser.get(callbacks[0])).status).toBe(302);

    expect((await second.get(callbacks[1])).status).toBe(500);

    expect((await browser.get('/me')).status).toBe(200);
    expect(await liveAtEnd(app, emulator)).toBe(1);
  });

  it('leaves the login of another tab alone, which ended while onLogin ran', async () => {
    const emulator = await startTestEmulator();
    let fail = (): void => undefined;
    let begun = (): void => undefined;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    let calls = 0;
    const app = await startApp({
      emulator,
      options: {
        onLogin: async () => {
          calls += 1;
          if (calls > 1) return;
          begun();
          await new Promise<void>((_resolve, reject) => (fail = () => reject(new Error('A slow database.'))));
        },
      },
    });
    const browser = app.browser();
    const callbacks = [await walkToCallback(browser, emulator), await walkToCallback(browser, emulator)] as const;
    const first = (await tabOf(app, browser)).get(callbacks[0]).then(({ status }) => status);
    await hasBegun;
    expect((await browser.get(callbacks[1])).status).toBe(302);

    fail();

    expect(await first).toBe(500);
    expect((await browser.get('/me')).status).toBe(200);
    expect(await liveAtEnd(app, emulator)).toBe(1);
  });

  it('leaves no tokens behind if the login of the other tab fails as well', async () => {
    const emulator = await startTestEmulator();
    const app = await startApp({ emulator, options: { onLogin: failingAt(1, 2) } });
    const browser = app.browser();
    const callbacks = [await walkToCallback(browser, emulator), await walkToCallback(browser, emulator)] as const;
    const second = await tabOf(app, browser);

    expect((await browser.get(callbacks[0])).status).toBe(500);
    expect((await second.get(callbacks[1])).status).toBe(500);

    expect(await liveAtEnd(app, emulator)).toBe(0);
  });

  it('leaves the same callback alone, which was answered before', async () => {
    const emulator = await startTestEmulator();
    const app = await startApp({ emulator, options: { onLogin: failingAt(2) } });
    const browser = app.browser();
    const callback = await walkToCallback(browser, emulator);
    const again = await tabOf(app, browser);
    expect((await browser.get(callback)).status).toBe(302);

    expect((await again.get(callback)).status).toBe(500);

    expect((await browser.get('/me')).status).toBe(200);
    expect(await liveAtEnd(app, emulator)).toBe(1);
  });
});

describe('the Back button to the callback of a login that the session still has', () => {
  const adding = '/auth/salesforce?add=true';

  it.each([
    ['the first of two, which began without the other', 0],
    ['the second of three, which is not the current one', 1],
  ])('changes nothing: %s', async (_which, back) => {
    const emulator = await startTestEmulator();
    const app = await startApp({ emulator });
    const browser = app.browser();
    const callbacks: string[] = [];
    for (const user of [0, 1, 2]) {
      const loginPath = user === 0 ? '/auth/salesforce' : adding;
      callbacks.push(await walkToCallback(browser, emulator, { user, loginPath }));
      await browser.get(callbacks[user]!);
    }

    expect((await browser.get(callbacks[back]!)).status).toBe(302);

    expect((await browser.get('/me')).body.user.username).toBe(emulator.users[2]!.username);
    expect(await liveAtEnd(app, emulator)).toBe(3);
  });

  it('changes nothing after a switch to another login', async () => {
    const emulator = await startTestEmulator();
    const app = await startApp({
      emulator,
      routes: (own) => {
        own.post('/switch/:which', (req, res, next) => {
          req.salesforce.switchTo(req.params['which']).then(() => res.json({}), next);
        });
      },
    });
    const browser = app.browser();
    await logIn(browser, emulator);
    const callback = await walkToCallback(browser, emulator, { user: 2, loginPath: adding });
    await browser.get(callback);
    await browser.post(`/switch/${emulator.users[0]!.organizationId}`);

    expect((await browser.get(callback)).status).toBe(302);

    expect((await browser.get('/me')).body.user.username).toBe(emulator.users[0]!.username);
    expect(await liveAtEnd(app, emulator)).toBe(2);
  });
});

it('the hold of a login that another user has replaced ends, also if the store fails at that moment', async () => {
  const emulator = await startTestEmulator();
  const clock = new ManualClock();
  const store = new MemoryTokenStore({ clock });
  const { browser, salesforce } = await startApp({ emulator, options: { clock, store } });
  const revoked = new Promise((resolve) => salesforce.events.once('revocation.succeeded', resolve));
  const tab = browser();
  await logIn(tab, emulator);
  const logOut = jest.spyOn(store, 'logOut').mockRejectedValueOnce(new Error('A moment of trouble.'));

  await logIn(tab, emulator, { user: 1 });

  expect(emulator.liveTokens().refreshTokens).toBe(2);
  await clock.advanceUntil(revoked);
  expect(emulator.liveTokens().refreshTokens).toBe(1);
  expect(logOut).toHaveBeenCalledTimes(2);
});

it('the late end of the hold of a replaced login does not end the hold of a tab that comes back afterwards', async () => {
  const emulator = await startTestEmulator();
  const clock = new ManualClock();
  const store = new MemoryTokenStore({ clock });
  const { browser, salesforce } = await startApp({ emulator, options: { clock, store } });
  const tab = browser();
  const first = await walkToCallback(tab, emulator);
  const waiting = await walkToCallback(tab, emulator);
  await tab.get(first);
  let repeat = (): void => undefined;
  const isRepeated = new Promise<void>((resolve) => (repeat = resolve));
  const logOut = store.logOut.bind(store);
  jest
    .spyOn(store, 'logOut')
    .mockRejectedValueOnce(new Error('A moment of trouble.'))
    .mockImplementationOnce(async (...given) => logOut(...given).finally(repeat));

  await logIn(tab, emulator);
  expect((await tab.get(waiting)).status).toBe(302);
  await clock.advanceUntil(isRepeated);

  expect((await tab.get('/me')).status).toBe(200);
  await salesforce.close();
  expect(emulator.liveTokens().refreshTokens).toBe(1);
});
