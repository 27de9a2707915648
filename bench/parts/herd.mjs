import { startApplication } from '../lib/applications.mjs';
import { getRequest, herd } from '../lib/load.mjs';
import { quantile, round, shuffle, summarise } from '../lib/statistics.mjs';

const tokenLatencyMs = 100;

const variants = [
  { name: 'Express, waiting for a timer', module: 'session-only', given: { sharedWaitMs: tokenLatencyMs } },
  { name: 'this package, memory', module: 'ours', given: { store: 'memory' }, processes: [1] },
  { name: 'this package, Redis', module: 'ours', given: { store: 'redis' } },
  { name: 'this package, PostgreSQL', module: 'ours', given: { store: 'postgres' } },
  { name: 'google-auth-library', module: 'google-auth-library' },
  { name: 'passport-oauth2-refresh', module: 'passport-oauth2-refresh' },
  { name: 'express-openid-connect', module: 'express-openid-connect' },
  { name: 'jsforce', module: 'jsforce' },
];

/** Many requests at the same moment, on one session whose token has ended, spread over several processes. */
export async function measure({ quick, emulator, servers, log }) {
  const requests = quick ? 200 : 1_000;
  const rounds = quick ? 1 : 5;
  const counts = quick ? [1, 4] : [1, 4, 8];
  const runs = variants.flatMap((variant) =>
    counts.filter((count) => variant.processes?.includes(count) ?? true).map((processes) => ({ variant, processes })),
  );
  const results = [];
  for (const { variant, processes } of shuffle(runs)) {
    const result = await runVariant(variant, processes, { requests, rounds, quick, emulator, servers });
    results.push(result);
    log(`  ${variant.name}, ${processes}: ${result.tokenRequests.join('/')} token requests, lost ${result.lost}`);
  }
  const order = (name) => variants.findIndex((variant) => variant.name === name);
  results.sort((a, b) => order(a.name) - order(b.name) || a.processes - b.processes);
  return { requests, rounds, tokenLatencyMs, runs: results };
}

async function runVariant({ name, module, given }, processes, { requests, rounds, quick, emulator, servers }) {
  const { url: emulatorUrl } = await emulator.call('describe');
  const apps = [];
  const common = { emulatorUrl, redisUrl: servers.redis.url, postgresUrl: servers.postgres.url, sessions: 'redis' };
  const policy = { rotateRefreshTokens: true };
  const result = { name, processes, tokenRequests: [], lost: 0, violations: 0, p50Ms: [], p99Ms: [], refused: [] };
  try {
    for (let index = 0; index < processes; index++) {
      const client = apps[0]?.client;
      apps.push(await startApplication({ emulator, module, policy, client, given: { ...common, ...given } }));
    }
    const { clientID } = apps[0].client;
    await warmUp(apps, quick ? 500 : 3_000);
    for (let count = 0; count < rounds; count++) {
      await emulator.call('revokeAll', { clientID });
      // The login's own token ends at once; the one it is refreshed to lives on.
      await emulator.call('setPolicy', clientID, { expiresInSeconds: 1 });
      const browser = await apps[0].logIn({ visit: false });
      // The first page after a login takes it away. A visit could refresh already, with those that look at the expiry.
      browser.keep(['salesforce-login-loop=']);
      await emulator.call('setPolicy', clientID, { expiresInSeconds: 3600 });
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await emulator.call('expireAccessTokens', { clientID });
      await emulator.call('takeRequests');
      await emulator.call('takeViolations');
      await emulator.call('inject', { on: 'refresh', kind: 'delay', delayMs: tokenLatencyMs });
      const targets = Array.from({ length: requests }, (_, index) => {
        const { port } = apps[index % apps.length];
        return { port, request: getRequest('/token', port, browser.cookie) };
      });
      const replies = await herd(targets);
      await emulator.call('clearFaults');
      const tokenRequests = (await emulator.call('takeRequests')).filter(({ path }) => path.endsWith('/oauth2/token'));
      result.tokenRequests.push(tokenRequests.length);
      result.violations += (await emulator.call('takeViolations')).length;
      result.refused.push(replies.filter(({ status }) => status !== 200).length);
      const waits = replies.map(({ ms }) => ms);
      result.p50Ms.push(round(quantile(waits, 0.5)));
      result.p99Ms.push(round(quantile(waits, 0.99)));
      // The browser keeps the cookies of the reply that came last.
      for (const { head } of replies.sort((a, b) => a.ms - b.ms)) {
        browser.keep([...head.matchAll(/^set-cookie: (.*)$/gim)].map(([, line]) => line));
      }
      if (!(await isAlive(apps[0], browser))) result.lost++;
      await emulator.call('takeViolations');
    }
    return { ...result, p50: summarise(result.p50Ms), p99: summarise(result.p99Ms) };
  } finally {
    await Promise.all(apps.map((app) => app.stop()));
  }
}

/** Herds meet servers that have been running for a while. */
async function warmUp(apps, count) {
  const { cookie } = await apps[0].logIn();
  await Promise.all(apps.map((app) => app.call('drive', { path: '/token', cookie, count })));
}

/** Whether the application can still refresh: a grant it cannot refresh any more is lost, whatever it answers now. */
async function isAlive({ url }, browser) {
  const { status } = await browser.get(`${url}/probe`);
  return status === 200;
}
