import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { TokenStore } from '../../lib/stores';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { describeEachOn, has } from '../helpers/programs';
import { openPool, startPostgres } from '../stores/servers/postgres';
import { startRedis } from '../stores/servers/redis';
import { describeNotifications } from './two-processes';

const closers: (() => unknown)[] = [];
const unique = randomBytes(6).toString('hex');
/** Makes the stores of two processes. */
const makers: Record<string, () => [TokenStore, TokenStore]> = {};

beforeAll(async () => {
  const [redis, postgres] = await Promise.all([has('Redis') ? startRedis() : undefined, startPostgres()]);
  closers.push(
    () => redis?.stop(),
    () => postgres.stop(),
  );
  const pool = openPool(postgres.url);
  closers.push(() => pool.end());
  const sql = readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8');
  const table = `grants_${unique}`;
  await pool.query(sql.replaceAll('salesforce_grants', table));
  closers.push(() => pool.query(`drop table ${table}, ${table}_once`));
  const two = (make: () => TokenStore): [TokenStore, TokenStore] => {
    const stores: [TokenStore, TokenStore] = [make(), make()];
    closers.push(...stores.map((store) => () => store.close?.()));
    return stores;
  };
  makers['Redis'] = () =>
    two(() => {
      const client = new Redis(redis!.url);
      closers.push(() => client.disconnect());
      return new RedisTokenStore({ client, prefix: `test:${unique}:`, notify: true });
    });
  makers['PostgreSQL'] = () => two(() => new PostgresTokenStore({ pool, table, notify: true }));
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
}, 60_000);

describeEachOn(['Redis', 'PostgreSQL'])('on %s', (kind) => {
  describeNotifications(kind, () => makers[kind]!());
});
