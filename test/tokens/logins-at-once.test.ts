/** @tier all */
import { MemoryTokenStore } from '../../lib';
import type { TokenStore } from '../../lib/stores';
import { logIn, onClient, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';
import { describeEachOn } from '../helpers/programs';
import { startStores } from '../stores/open-stores';

// A busy machine may be slow.
jest.setTimeout(60_000);

const stores: Record<string, TokenStore> = { memory: new MemoryTokenStore() };
let stop: () => Promise<void>;

beforeAll(async () => {
  const started = await startStores();
  for (const [name, opened] of Object.entries(started.stores)) stores[name] = opened.store;
  stop = () => started.stop();
}, 60_000);

afterAll(() => stop());

describeEachOn(['memory', 'Redis', 'PostgreSQL'])('forty logins of one user at once, with the store in %s', (name) => {
  it('all succeed, and share one grant', async () => {
    const emulator = await startTestEmulator();
    // Salesforce keeps five approvals of a user for an app. A login that five others overtake loses its tokens there, which no
    // store can help.
    const client = emulator.registerClient({ callbackURLs: [], policy: { maxApprovals: 100 } });
    const app = await startApp({ emulator, create: onClient(emulator, client, { store: stores[name]! }) });
    const browsers = Array.from({ length: 40 }, () => app.browser());

    await Promise.all(browsers.map((browser) => logIn(browser, emulator)));

    const pages = await Promise.all(browsers.map((browser) => browser.get('/me')));
    expect(pages.map(({ status }) => status)).toEqual(browsers.map(() => 200));
    expect(new Set(pages.map(({ body }) => (body as { grantId: string }).grantId)).size).toBe(1);
  });
});
