/** @tier all */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'redis';
import { salesforceAuth } from '../../lib';
import type { TokenStore } from '../../lib/stores';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { startTestEmulator } from '../helpers/emulator';
import { describeEachOn } from '../helpers/programs';
import { openPool, startPostgres } from '../stores/servers/postgres';
import { startRedis } from '../stores/servers/redis';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Two stores on one server, as two processes have them. */
const open: Readonly<Record<'Redis' | 'PostgreSQL', () => Promise<TokenStore[]>>> = {
  Redis: async () => {
    const { url, stop } = await startRedis();
    stops.push(stop);
    const clients = [createClient({ url }), createClient({ url })];
    for (const client of clients) stops.push(() => client.destroy());
    await Promise.all(clients.map((client) => client.connect()));
    return clients.map((client) => new RedisTokenStore({ client: client }));
  },
  PostgreSQL: async () => {
    const { url, stop } = await startPostgres();
    stops.push(stop);
    const pool = openPool(url);
    stops.push(() => pool.end());
    await pool.query(readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8'));
    return [new PostgresTokenStore({ pool }), new PostgresTokenStore({ pool })];
  },
};

describeEachOn(['Redis', 'PostgreSQL'] as const)('an app token on %s', (name) => {
  it('is one for two processes, from the first on', async () => {
    const stores = await open[name]();
    const emulator = await startTestEmulator();
    const { clientID, clientSecret } = emulator.clients[0]!;
    emulator.setPolicy(clientID, { clientCredentialsRunAs: emulator.users[0]!.username });
    const processes = stores.map((store) =>
      salesforceAuth({
        clientID,
        clientSecret,
        baseUrl: emulator.myDomainUrl,
        store,
        encryptionKeys: false,
        report: false,
      }),
    );
    for (const salesforce of processes) stops.push(() => salesforce.close());
    const apps = processes.map((salesforce) => salesforce.app());
    const asked = (): number => emulator.requests.filter(({ path }) => path.endsWith('/token')).length;
    const fetchAll = async (): Promise<number[]> => {
      const calls = apps.flatMap((app) => Array.from({ length: 20 }, () => app.fetch('/services/data/v62.0/limits')));
      return (await Promise.all(calls)).map(({ status }) => status);
    };

    expect(await fetchAll()).toEqual(Array(40).fill(200));
    expect(asked()).toBe(1);
    emulator.expireAccessTokens();
    expect(await fetchAll()).toEqual(Array(40).fill(200));
    expect(asked()).toBe(2);
    await processes[0]!.tokens.revoke(await apps[0]!.getGrantId());
    expect(emulator.liveTokens().accessTokens).toBe(0);
    expect((await apps[1]!.fetch('/services/data/v62.0/limits')).status).toBe(200);
  });
});
