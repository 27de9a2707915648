/** This package in virtual time: a sample of grants on several processes, one store, and a simulated token endpoint. */
import { MemoryTokenStore, salesforceAuth } from '../../dist/index.mjs';
import { grantIdOf, payloadOf, writeOf } from './grants.mjs';
import { serve } from './process.mjs';
import { refreshReply, secret } from './provider.mjs';
import { VirtualClock } from './virtual-clock.mjs';

const baseUrl = 'http://localhost:1';
const minuteMs = 60_000;
const organizationId = '00D000000000001EAA';

/** As long as a grant may be idle before it is kept alive, as the package does by default. */
const idleMs = 25 * 24 * 60 * minuteMs;

/**
 * Runs one scenario and counts the requests to Salesforce and to the store for each minute.
 *
 * Each grant is used at random points in time, on a random process. If `loginMinutes` is short, all users log in together.
 * Further `idleGrants` are never used: their users logged in over the last 25 days, and keep-alive refreshes them.
 */
async function simulate({ grants, idleGrants = 0, processes, minutes, loginMinutes, usesPerMinute, ...rest }) {
  const { outage, deploy, latencyMs } = rest;
  const clock = new VirtualClock();
  let startedAt = 0;
  const nowMs = () => clock.monotonic() - startedAt;
  const perMinute = Array.from({ length: minutes + 1 }, () => ({ token: 0, refused: 0, kept: 0, store: 0, failed: 0 }));
  const here = () => perMinute[Math.min(minutes, Math.floor(nowMs() / minuteMs))];
  const isDown = () => {
    const minute = nowMs() / minuteMs;
    return outage !== undefined && minute >= outage.from && minute < outage.to;
  };
  globalThis.fetch = async (url, { body }) => {
    here().token++;
    await new Promise((resolve) => clock.setTimer(latencyMs, resolve));
    if (isDown()) {
      here().refused++;
      if (outage.isLost)
        throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });
      return new Response('', { status: 503 });
    }
    if (String(url).endsWith('/introspect')) return Response.json({ active: true });
    const refreshToken = new URLSearchParams(String(body)).get('refresh_token');
    const [index, count] = refreshToken.split('.');
    const tokens = { baseUrl, organizationId, userId: userIdOf(index), refreshToken };
    return Response.json(refreshReply(tokens, Number(count) + 1, clock.now()));
  };
  const store = counted(new MemoryTokenStore({ clock, sweepIntervalMs: 3_600_000 }), () => here().store++);
  const start = () =>
    salesforceAuth({
      clientID: 'bench',
      clientSecret: secret,
      callbackURL: 'http://localhost:2/callback',
      baseUrl,
      store,
      clock,
      refresh: { keepAlive: true },
    });
  const lives = lifeOf(7_200);
  const logIn = (index, holderMs) => {
    const id = grantIdOf(index);
    const changes = { baseUrl, instanceUrl: baseUrl, organizationId, userId: userIdOf(index) };
    const payload = payloadOf(index, { ...changes, refreshToken: `${index}.0` });
    return store.put(id, { ...writeOf(index, { payload, ...lives(id) }), holderMs });
  };
  for (let count = 0; count < idleGrants; count++) {
    await clock.advanceTo((count / idleGrants) * idleMs);
    await logIn(grants + count, 2 * idleMs);
  }
  if (idleGrants > 0) await clock.advanceTo(idleMs);
  startedAt = clock.monotonic();
  for (const count of perMinute) count.store = 0;
  const running = Array.from({ length: processes }, () => {
    const process = start();
    process.events.on('keepAlive.finished', ({ refreshed }) => (here().kept += refreshed));
    return process;
  });
  const due = [];
  for (let index = 0; index < grants; index++) {
    due.push({ index, at: Math.random() * loginMinutes * minuteMs, isLoggedIn: false });
  }
  let deployed = 0;
  const stepMs = 1_000;
  // A slot for each second has the grants that are due, so that the search does not look at all grants.
  const slots = Array.from({ length: (minutes * minuteMs) / stepMs + 1 }, () => []);
  const plan = (grant, at) => slots[Math.floor(at / stepMs)]?.push(grant);
  due.forEach((grant) => plan(grant, grant.at));
  for (const [second, slot] of slots.entries()) {
    await clock.advanceTo(startedAt + second * stepMs);
    const minute = (second * stepMs) / minuteMs;
    if (deploy && minute >= deploy.from && deployed < processes) {
      const share = Math.min(1, (minute - deploy.from) / (deploy.to - deploy.from));
      // A new process has an empty cache, so it reads every grant from the store.
      for (; deployed < Math.floor(share * processes); deployed++) running[deployed] = start();
    }
    for (const grant of slot) {
      const id = grantIdOf(grant.index);
      if (grant.isLoggedIn) {
        const process = running[Math.floor(Math.random() * running.length)];
        process.tokens.get(id).catch(() => here().failed++);
      } else {
        grant.isLoggedIn = true;
        await logIn(grant.index, 24 * 60 * minuteMs);
      }
      plan(grant, nowMs() + (-Math.log(1 - Math.random()) / usesPerMinute) * minuteMs + stepMs);
    }
  }
  await clock.advanceTo(startedAt + minutes * minuteMs);
  return perMinute.slice(0, minutes);
}

const userIdOf = (index) => `005${String(index).padStart(12, '0')}AAA`;

/** The soft bound of a grant after a login, as lib/coordinator/grant.ts sets it. The package sets it after a refresh. */
function lifeOf(sessionTimeoutSeconds) {
  const lifeMs = sessionTimeoutSeconds * 1000;
  return (grantId) => {
    const spread = Buffer.from(grantId).reduce((sum, byte) => (sum * 31 + byte) % 1000, 0) / 1000;
    return { softMs: lifeMs * (0.75 + 0.15 * spread), hardMs: lifeMs };
  };
}

/** Counts every operation of a store. */
function counted(store, count) {
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...given) => {
        count();
        return member.apply(target, given);
      };
    },
  });
}

serve({ simulate });
