/** @tier all */
import { logIn, onClient, startApp } from '../helpers/app';
import { collect } from '../helpers/collect';
import { startTestEmulator } from '../helpers/emulator';
import { describeEachOn } from '../helpers/programs';
import { startStores, type OpenStore } from '../stores/open-stores';
import { logInByHand } from './before';

const opened: Record<string, OpenStore> = {};
let stop: () => Promise<void>;

beforeAll(async () => {
  const started = await startStores();
  Object.assign(opened, started.stores);
  stop = () => started.stop();
}, 60_000);

afterAll(() => stop());

describeEachOn(['Redis', 'PostgreSQL'])('adoptions with the store in %s', (name) => {
  it('are one adoption for two applications, and show no token to a reader of the store', async () => {
    const { store, dump } = opened[name]!;
    const emulator = await startTestEmulator();
    const client = emulator.registerClient({ callbackURLs: ['http://localhost:3000/cb'] });
    const options = { store, encryptionKeys: ['__test_encryption_key_of_32_chars__'] };
    const one = await startApp({ emulator, create: onClient(emulator, client, options) });
    const other = await startApp({
      emulator,
      create: onClient(emulator, client, options),
      session: 'cookie-session',
      express: 4,
      routes: (app) => {
        app.post('/adopt', (req, res, next) => {
          req.salesforce.adopt({ refreshToken }).then(() => res.sendStatus(204), next);
        });
      },
    });
    const { refreshToken } = await logInByHand(emulator, client);
    const tab = other.browser();

    const [adopted, { status }] = await Promise.all([
      one.salesforce.tokens.adopt({ refreshToken }),
      tab.post('/adopt').then((answer) => answer),
    ]);

    expect(status).toBe(204);
    expect((await tab.get('/me')).body.grantId).toBe(adopted.grantId);
    expect([...emulator.presentations.values()]).toEqual([1]);
    const grants = await collect(one.salesforce.tokens.list({ clientID: client.clientID }));
    expect(grants.map(({ grantId }) => grantId)).toEqual([adopted.grantId]);
    expect(await dump()).not.toMatch(new RegExp(`${refreshToken}|5Aep861_fake_|!AQ\\.`));

    await logIn(one.browser(), emulator);
    expect(await one.salesforce.tokens.adopt({ refreshToken })).toEqual(adopted);
    expect((await tab.get('/accounts')).status).toBe(200);
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(200);
  });
});
