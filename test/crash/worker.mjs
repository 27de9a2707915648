/**
 * An application server as a process of its own, built on dist/. The parent opens applications in it, has them pause at a step
 * of a refresh, and kills it; see workers.ts. Messages are `{ call, name, … }`, answered by `{ answer, … }`; what happens
 * unasked is `{ news, app, … }`.
 */
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Buffer } from 'node:buffer';
import { readSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { performance } from 'node:perf_hooks';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import cookieSession from 'cookie-session';
import express from 'express';
import pg from 'pg';
import { createClient } from 'redis';
import { requireSalesforce, salesforceAuth } from '../../dist/index.mjs';
import { PostgresTokenStore } from '../../dist/stores/postgres.mjs';
import { RedisTokenStore } from '../../dist/stores/redis.mjs';
import { SqliteTokenStore } from '../../dist/stores/sqlite.mjs';

/** The parent blocks the event loop by not writing to this pipe. */
const blockingPipe = 4;

const apps = new Map();
const connections = new Map();
const clockAheadMs = { value: 0 };

const clock = {
  now: () => Date.now() + clockAheadMs.value,
  monotonic: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

const calls = {
  /** Opens an application, and answers where it listens. */
  async open({ app: id, store, port, options }) {
    const app = { id, pauses: new Map() };
    apps.set(id, app);
    const server = express().disable('x-powered-by');
    // As many as a herd, which comes at once: the system resets what waits in vain to be taken up.
    app.listener = server.listen({ port: port ?? 0, host: '127.0.0.1', backlog: 4_096 });
    await once(app.listener, 'listening');
    const url = `http://localhost:${app.listener.address().port}`;
    app.salesforce = salesforceAuth({
      ...options,
      callbackURL: `${url}/auth/salesforce/callback`,
      store: pausable(app, await openStore(store)),
      clock,
    });
    for (const news of [
      'refresh.started',
      'refresh.succeeded',
      'refresh.failed',
      'refresh.doubted',
      'refresh.ended',
      'refresh.superseded',
      'store.failed',
      'grant.loggedOut',
    ]) {
      app.salesforce.events.on(news, ({ grantId }) => process.send({ news, app: id, grantId }));
    }
    server.get('/up', (_req, res) => res.json({}));
    server.use(cookieSession({ name: 'app', keys: ['__test_cookie_key__'] }));
    server.use(app.salesforce);
    server.get('/grant', requireSalesforce(), (req, res) => res.json({ grantId: req.salesforce.grantId }));
    server.get('/token', requireSalesforce(), (req, res) => res.json({ accessToken: req.salesforce.accessToken }));
    server.get('/herd', requireSalesforce(), async (req, res) => {
      res.json({ accessToken: await req.salesforce.getAccessToken({ rejected: app.rejected }) });
    });
    server.get('/limits', requireSalesforce(), async (req, res) => {
      const reply = await req.salesforce.fetch('/services/data/v62.0/limits');
      res.status(reply.status).json({});
    });
    server.use((error, _req, res, next) => {
      if (res.headersSent) return next(error);
      res.set(error.headers ?? {});
      res.status(error.status ?? 500).json({ error: error.code ?? error.message });
    });
    return { url };
  },
  pause({ app, step, how }) {
    apps.get(app).pauses.set(step, how ?? '');
  },
  resume({ app }) {
    apps.get(app).resume?.();
  },
  /** Blocks the event loop, timers and heartbeats with it, until the parent writes a byte. */
  block() {
    setImmediate(blockHere);
  },
  jump({ ms }) {
    clockAheadMs.value = ms;
  },
  /** Closes what the cell opened; connections stay for the next one. */
  async leave({ app: id }) {
    const { listener, salesforce } = apps.get(id);
    apps.delete(id);
    listener.close();
    listener.closeAllConnections();
    await salesforce.close();
  },
  /**
   * Has many requests at once say that their access token was refused. Each comes again after a 503, when it was told to, until
   * there is another answer. Returns how often each answer came.
   */
  async herd({ app: id, cookie, rejected, requests }) {
    const app = apps.get(id);
    app.rejected = rejected;
    const answers = { first: {}, again: {}, slowestMs: 0 };
    const agent = new Agent({ keepAlive: false });
    const { port } = app.listener.address();
    const headers = { cookie, accept: 'application/json' };
    await Promise.all(
      Array.from({ length: requests }, async () => {
        for (let counts = answers.first; ; counts = answers.again) {
          const startedAt = performance.now();
          const request = get({ agent, port, host: '127.0.0.1', path: '/herd', headers });
          const [reply] = await once(request, 'response');
          reply.resume();
          answers.slowestMs = Math.max(answers.slowestMs, performance.now() - startedAt);
          const retryAfter = reply.headers['retry-after'];
          const answer = `${reply.statusCode}${retryAfter ? ' with Retry-After' : ''}`;
          counts[answer] = (counts[answer] ?? 0) + 1;
          if (reply.statusCode !== 503 || !retryAfter) return;
          await new Promise((resolve) => setTimeout(resolve, Number(retryAfter) * 1_000));
        }
      }),
    );
    return answers;
  },
};

process.on('message', async ({ call, name, ...given }) => {
  try {
    process.send({ answer: call, value: (await calls[name](given)) ?? null });
  } catch (error) {
    process.send({ answer: call, error: String(error?.stack ?? error) });
  }
});

// As an application does in production: no new requests, refreshes finished and stored, answers sent.
process.once('SIGTERM', async () => {
  process.send({ news: 'closing' });
  await Promise.all(
    [...apps.values()].map(async ({ listener, salesforce }) => {
      const closed = once(listener, 'close');
      listener.close();
      await salesforce.close();
      listener.closeIdleConnections();
      await closed;
    }),
  );
  process.exit(0);
});

// The parent is gone, and with it whoever would end this process.
process.on('disconnect', () => process.exit(1));

subscribe('undici:client:beforeConnect', ({ connectParams }) => {
  for (const app of apps.values()) {
    if (app.pauses.get('connecting') !== String(connectParams.port)) continue;
    app.pauses.delete('connecting');
    process.send({ news: 'reached', app: app.id });
    blockHere();
  }
});

function blockHere() {
  readSync(blockingPipe, Buffer.alloc(1));
}

/** A store that stops at a named call, once, and tells the parent. */
function pausable(app, store) {
  const at = async (step) => {
    if (!app.pauses.delete(step)) return;
    const resumed = new Promise((resolve) => (app.resume = resolve));
    process.send({ news: 'reached', app: app.id });
    await resumed;
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === 'claim') {
        return async (...given) => {
          await at('S0');
          const answer = await target.claim(...given);
          if (answer.outcome === 'claimed') await at('S1');
          return answer;
        };
      }
      if (name === 'commit') {
        return async (...given) => {
          await at('S5');
          const answer = await target.commit(...given);
          await at('S6');
          return answer;
        };
      }
      const member = target[name];
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

async function openStore({ kind, url, table, file, ...options }) {
  if (kind === 'SQLite') return connectionTo(file, () => new SqliteTokenStore({ file }));
  if (kind === 'PostgreSQL') {
    const pool = await connectionTo(url, () => {
      const opened = new pg.Pool({ connectionString: url });
      opened.on('error', () => undefined);
      return opened;
    });
    return new PostgresTokenStore({ pool, table });
  }
  const client = await connectionTo(url, async () => {
    const opened = createClient({ url, socket: { reconnectStrategy: 50 } });
    opened.on('error', () => undefined);
    return opened.connect();
  });
  return new RedisTokenStore({ client, ...options });
}

function connectionTo(url, open) {
  if (!connections.has(url)) connections.set(url, open());
  return connections.get(url);
}

process.send({ news: 'ready' });
