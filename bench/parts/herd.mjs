import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPrograms, requireProgram } from '../../tools/servers/programs.mjs';
import { startApplication } from '../lib/applications.mjs';
import { getRequest, herd } from '../lib/load.mjs';
import { quantile, shuffle, summarise } from '../lib/statistics.mjs';

const tokenLatencyMs = 100;

const variants = [
  { name: 'this package, memory', module: 'ours', given: { store: 'memory' }, processes: [1] },
  { name: 'this package, Redis', module: 'ours', given: { store: 'redis' } },
  { name: 'this package, Redis, notify', module: 'ours', given: { store: 'redis', notify: true }, processes: [4, 8] },
  { name: 'this package, PostgreSQL', module: 'ours', given: { store: 'postgres' } },
  {
    name: 'this package, PostgreSQL, notify',
    module: 'ours',
    given: { store: 'postgres', notify: true },
    processes: [4, 8],
  },
  { name: 'this package, SQLite', module: 'ours', given: { store: 'sqlite' } },
  { name: 'google-auth-library', module: 'google-auth-library' },
  { name: 'passport-oauth2-refresh', module: 'passport-oauth2-refresh' },
  { name: 'express-openid-connect', module: 'express-openid-connect' },
  { name: 'jsforce', module: 'jsforce' },
  { name: 'better-auth, PostgreSQL', module: 'better-auth' },
];

/**
 * Many requests at the same moment, on one session whose token has ended, spread over several processes. Before or after each
 * herd, the same processes get a herd for their baseline: Express with the same sessions, in which all requests wait for one
 * request that takes as long as the token endpoint.
 */
export async function measure({ quick, emulator, servers, log }) {
  const effort = quick ? { requests: 200, rounds: 1, warmUp: 500 } : { requests: 1_000, rounds: 6, warmUp: 2_000 };
  const counts = quick ? [1, 4] : [1, 4, 8];
  const planned = variants.flatMap((variant) =>
    counts.filter((count) => variant.processes?.includes(count) ?? true).map((processes) => ({ variant, processes })),
  );
  const runs = [];
  for (const { variant, processes } of shuffle(planned)) {
    const run = await runVariant(variant, processes, { ...effort, emulator, servers });
    runs.push(run);
    log(`  ${variant.name}, ${processes}: ${run.tokenRequests.join('/')} token requests, lost ${run.lost}`);
  }
  const order = (name) => variants.findIndex((variant) => variant.name === name);
  runs.sort((a, b) => order(a.name) - order(b.name) || a.processes - b.processes);
  return { ...effort, tokenLatencyMs, runs };
}

async function runVariant({ name, module, given }, processes, { requests, rounds, warmUp, emulator, servers }) {
  const { url: emulatorUrl, lateUrl } = await emulator.call('describe');
  const apps = [];
  const folder = mkdtempSync(join(tmpdir(), 'herd-'));
  const [redisUrl, postgresUrl] = [servers.redis.url, servers.postgres.url];
  const common = { emulatorUrl, redisUrl, postgresUrl, sessions: 'redis', file: join(folder, 'tokens.db') };
  // Its floor runs in the same processes, so on the same Node.js.
  const execPath = given?.store === 'sqlite' ? nodeWithSqlite() : undefined;
  const policy = { rotateRefreshTokens: true };
  const counted = { name, processes, tokenRequests: [], lost: 0, violations: 0, refused: [] };
  const waits = { p50: [], p99: [], floorP50: [], floorP99: [] };
  try {
    for (let index = 0; index < processes; index++) {
      const client = apps[0]?.client;
      apps.push(await startApplication({ emulator, module, policy, client, given: { ...common, ...given }, execPath }));
    }
    const floorGiven = { ...common, waitUrl: `${lateUrl}/${tokenLatencyMs}` };
    const added = apps.map((app) => app.call('addFloor', { module: 'session-only', given: floorGiven }));
    const [floor] = await Promise.all(added);
    const sendHerd = (path, cookie) =>
      herd(
        Array.from({ length: requests }, (_, index) => {
          const { port } = apps[index % apps.length];
          return { port, request: getRequest(path, port, cookie) };
        }),
      );
    // In reality a herd meets servers that have been running for a while.
    const { cookie } = await apps[0].logIn();
    const asked = { path: '/token', cookie, count: 20, turns: warmUp / 20 };
    await Promise.all(apps.map((app) => app.call('takeTurns', asked)));

    // The first round is not counted: it loads what a refresh needs, and the compiler is still at work on the way of a herd.
    for (let round = -1; round < rounds; round++) {
      const isCounted = round >= 0;
      const browser = await staleLogin(apps[0], emulator);
      await emulator.call('inject', { on: 'refresh', kind: 'delay', delayMs: tokenLatencyMs });
      const sendToFloor = async () => {
        await Promise.all(apps.map((app) => app.call('askFloor', 'forgetWait')));
        const floorWaits = (await sendHerd(`${floor.path}/token`, floor.cookie)).map(({ ms }) => ms);
        if (!isCounted) return;
        waits.floorP50.push(quantile(floorWaits, 0.5));
        waits.floorP99.push(quantile(floorWaits, 0.99));
      };
      const sendToVariant = async () => {
        await emulator.call('takeRequests');
        await emulator.call('takeViolations');
        const replies = await sendHerd('/token', browser.cookie);
        // The browser keeps the cookies of the last reply.
        for (const { head } of replies.sort((a, b) => a.ms - b.ms)) {
          browser.keep([...head.matchAll(/^set-cookie: (.*)$/gim)].map(([, line]) => line));
        }
        if (!isCounted) return;
        const taken = await emulator.call('takeRequests');
        counted.tokenRequests.push(taken.filter(({ path }) => path.endsWith('/oauth2/token')).length);
        counted.violations += (await emulator.call('takeViolations')).length;
        counted.refused.push(replies.filter(({ status }) => status !== 200).length);
        const variantWaits = replies.map(({ ms }) => ms);
        waits.p50.push(quantile(variantWaits, 0.5));
        waits.p99.push(quantile(variantWaits, 0.99));
      };
      // One of the two comes first as often as the other.
      for (const send of round % 2 === 0 ? [sendToFloor, sendToVariant] : [sendToVariant, sendToFloor]) await send();
      await emulator.call('clearFaults');
      if (!(await isAlive(apps[0], browser)) && isCounted) counted.lost++;
      await emulator.call('takeViolations');
    }
    const overFloor = waits.p99.map((ms, round) => ms - waits.floorP99[round]);
    const summaries = Object.entries({ ...waits, overFloor }).map(([key, values]) => [key, summarise(values)]);
    return { ...counted, ...Object.fromEntries(summaries), perRoundP99: waits.p99.map((ms) => Math.round(ms)) };
  } finally {
    await Promise.all(apps.map((app) => app.stop()));
    rmSync(folder, { recursive: true });
  }
}

/** This Node.js if it has SQLite, else the newest one. */
function nodeWithSqlite() {
  installPrograms(['SQLite']);
  return requireProgram('SQLite');
}

/** A browser that is logged in, with an access token that has ended. */
async function staleLogin(app, emulator) {
  const { clientID } = app.client;
  await emulator.call('revokeAll', { clientID });
  // The token of the login ends at once. The next token does not.
  await emulator.call('setPolicy', clientID, { expiresInSeconds: 1 });
  const browser = await app.logIn({ visit: false });
  // The first page after a login deletes the login cookie. Packages that check the expiry may refresh at that page.
  browser.keep(['salesforce-login-loop=']);
  await emulator.call('setPolicy', clientID, { expiresInSeconds: 3600 });
  // This package serves what it has read for two seconds. No process may have read the login of the round before since then.
  await new Promise((resolve) => setTimeout(resolve, 2_300));
  await emulator.call('expireAccessTokens', { clientID });
  return browser;
}

/** Whether the application can still refresh. If it cannot, the login is lost, even if it still answers now. */
async function isAlive({ url }, browser) {
  const { status } = await browser.get(`${url}/probe`);
  return status === 200;
}
