import connectPgSimple from 'connect-pg-simple';
import { RedisStore } from 'connect-redis';
import cookieSession from 'cookie-session';
import type { RequestHandler } from 'express';
import expressSession, { MemoryStore, type Store } from 'express-session';
import type { Pool } from 'pg';
import { createClient } from 'redis';
import { has } from '../helpers/programs';
import { startProxy, type Proxy } from '../helpers/proxy';
import { openPool, startPostgres } from '../stores/servers/postgres';
import { startRedis } from '../stores/servers/redis';

/** A session middleware on a real store, and what the store holds. */
export interface Sessions {
  middleware: RequestHandler;
  /** Everything that is stored of all sessions, in the clear; `cookies` is what the browser holds. */
  stored: (cookies: string) => Promise<string>;
  /** The network to the store's server, where there is one. */
  proxy?: Proxy;
}

export const kinds = ['memory', 'connect-redis', 'connect-pg-simple', 'cookie-session'] as const;
export type SessionKind = (typeof kinds)[number];

/** How long the clients below wait for a server that says nothing, in milliseconds. */
const patienceMs = 500;

/** Starts what the session stores need; to be called from the top of a test file. */
export function sessionStores(): (kind: SessionKind) => Promise<Sessions> {
  const closers: (() => unknown)[] = [];
  let redis: { proxy: Proxy; url: string };
  let postgres: { proxy: Proxy; url: string };

  const behindProxy = async (server: { url: string; stop: () => Promise<void> }): Promise<typeof redis> => {
    closers.push(() => server.stop());
    const url = new URL(server.url);
    const proxy = await startProxy(Number(url.port));
    closers.push(() => proxy.stop());
    url.port = String(proxy.port);
    url.hostname = '127.0.0.1';
    return { proxy, url: url.href };
  };

  beforeAll(async () => {
    if (has('Redis')) redis = await behindProxy(await startRedis());
    postgres = await behindProxy(await startPostgres());
  }, 60_000);

  const perTest: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of perTest.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  }, 60_000);

  const onStore = (store: Store): RequestHandler =>
    expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false, store }) as never;

  return async (kind) => {
    switch (kind) {
      case 'memory': {
        const store = new MemoryStore();
        const stored = (): Promise<string> =>
          Promise.resolve(JSON.stringify((store as unknown as { sessions: object }).sessions));
        return { middleware: onStore(store), stored };
      }
      case 'connect-redis': {
        const client = createClient({
          url: redis.url,
          disableOfflineQueue: true,
          pingInterval: patienceMs / 4,
          socket: { socketTimeout: patienceMs, reconnectStrategy: 20 },
        });
        client.on('error', () => undefined);
        await client.connect();
        perTest.push(() => {
          client.destroy();
        });
        const prefix = `sessions-${Math.random().toString(36).slice(2)}:`;
        const stored = async (): Promise<string> => {
          const values = [];
          for await (const keys of client.scanIterator({ MATCH: `${prefix}*` })) {
            for (const key of keys) values.push(await client.get(key));
          }
          return values.join('\n');
        };
        return { middleware: onStore(new RedisStore({ client, prefix })), stored, proxy: redis.proxy };
      }
      case 'connect-pg-simple': {
        const pool: Pool = openPool(postgres.url, {
          query_timeout: patienceMs,
          connectionTimeoutMillis: patienceMs,
        });
        perTest.push(() => pool.end());
        const store = new (connectPgSimple(expressSession))({
          pool,
          // One for all tests: the names of its index and constraint do not follow that of the table.
          createTableIfMissing: true,
          pruneSessionInterval: false,
          errorLog: () => undefined,
        });
        perTest.push(() => store.close());
        const stored = async (): Promise<string> => JSON.stringify((await pool.query('select sess from session')).rows);
        return { middleware: onStore(store), stored, proxy: postgres.proxy };
      }
      case 'cookie-session': {
        const middleware = cookieSession({ name: 'app', keys: ['__test_cookie_key__'] }) as never;
        const stored = (cookies: string): Promise<string> =>
          Promise.resolve(Buffer.from(/app=([^;]+)/.exec(cookies)?.[1] ?? '', 'base64').toString());
        return { middleware, stored };
      }
    }
  };
}
