import { startApplication } from '../lib/applications.mjs';
import { shuffle, summarise } from '../lib/statistics.mjs';

/** What is measured, in the order of the report. */
const variants = [
  { name: 'Express', module: 'bare' },
  { name: 'Express + express-session', module: 'session-only' },
  { name: 'the same and two empty middlewares', module: 'session-only', given: { layers: 2 } },
  { name: 'this package, memory', module: 'ours', given: { store: 'memory' } },
  { name: 'this package, Redis', module: 'ours', given: { store: 'redis' } },
  { name: 'this package, PostgreSQL', module: 'ours', given: { store: 'postgres' } },
  { name: 'this package, memory, cold', module: 'ours', given: { store: 'memory', options: { cacheMs: 0 } } },
  { name: 'this package, Redis, cold', module: 'ours', given: { store: 'redis', options: { cacheMs: 0 } } },
  { name: 'this package, PostgreSQL, cold', module: 'ours', given: { store: 'postgres', options: { cacheMs: 0 } } },
  { name: 'one bare read of Redis', module: 'session-only', given: { read: 'redis' } },
  { name: 'one bare read of PostgreSQL', module: 'session-only', given: { read: 'postgres' } },
  { name: 'passport.session(), memory', module: 'passport-session' },
  { name: 'passport.session(), connect-redis', module: 'passport-session', given: { sessions: 'redis' } },
  { name: 'Express + connect-redis', module: 'session-only', given: { sessions: 'redis' } },
  { name: 'this package, Redis, on connect-redis', module: 'ours', given: { store: 'redis', sessions: 'redis' } },
  { name: 'iron-session', module: 'iron-session' },
  // It has no access token where the reply has no expires_in, as Salesforce's has none.
  { name: 'express-openid-connect', module: 'express-openid-connect', policy: { expiresInSeconds: 7200 } },
  { name: 'Auth.js getSession()', module: 'auth-express' },
];

/** Enough to see whether something got worse. */
const quickOnes = [
  'Express',
  'Express + express-session',
  'the same and two empty middlewares',
  'this package, memory',
  'this package, Redis',
  'this package, Redis, cold',
  'express-openid-connect',
  'Auth.js getSession()',
];

/** Server CPU time per request, in microseconds; variants in turn, in random order, many rounds. */
export async function measure({ quick, emulator, servers, log }) {
  // Many short rounds rather than few long ones: what else the machine does comes in bursts.
  const rounds = quick ? 12 : 40;
  const requests = quick ? 400 : 1_000;
  const warmUp = quick ? 2_000 : 10_000;
  const { url: emulatorUrl } = await emulator.call('describe');
  const running = [];
  try {
    for (const variant of quick ? variants.filter(({ name }) => quickOnes.includes(name)) : variants) {
      const given = { emulatorUrl, redisUrl: servers.redis?.url, postgresUrl: servers.postgres?.url, ...variant.given };
      const app = await startApplication({ emulator, module: variant.module, policy: variant.policy, given });
      running.push({ name: variant.name, app, cookie: undefined, setCookieBytes: 0, bytes: 0, perRequest: [] });
    }
    for (const each of running) {
      each.cookie = (await each.app.logIn()).cookie;
      await drive(each, warmUp);
      log(`  ${each.name} is warm`);
    }
    for (let round = 0; round < rounds; round++) {
      for (const each of shuffle(running)) each.perRequest.push(await drive(each, requests));
    }
    for (const each of running) {
      each.bytes = Math.round(
        await each.app.call('allocations', { path: '/token', cookie: each.cookie, count: requests }),
      );
    }
  } finally {
    await Promise.all(running.map(({ app }) => app.stop()));
  }
  const cpuOf = Object.fromEntries(running.map(({ name, perRequest }) => [name, perRequest]));
  const setCookieBytes = Object.fromEntries(running.map((each) => [each.name, each.setCookieBytes]));
  const allocatedBytes = Object.fromEntries(running.map((each) => [each.name, each.bytes]));
  return {
    unit: 'µs of server CPU per request',
    requestsPerRound: requests,
    setCookieBytes,
    allocatedBytes,
    ...compare(cpuOf),
  };
}

async function drive(variant, count) {
  const { name, app, cookie } = variant;
  const { cpuPerRequestUs, statuses, setCookieBytes } = await app.call('drive', { path: '/token', cookie, count });
  if (Object.keys(statuses).join() !== '200') throw new Error(`${name} answered ${JSON.stringify(statuses)}.`);
  variant.setCookieBytes = setCookieBytes;
  return cpuPerRequestUs;
}

function compare(cpuOf) {
  const over = (name, baseline) => cpuOf[name].map((value, round) => value - cpuOf[baseline][round]);
  const result = { variants: {}, ratios: {}, perRound: {} };
  for (const [name, values] of Object.entries(cpuOf)) {
    const hasConnectRedis = name.includes('connect-redis');
    const session = hasConnectRedis ? 'Express + connect-redis' : 'Express + express-session';
    const isOnSession = /^this package|^passport|^one bare|^the same/.test(name) && cpuOf[session] !== undefined;
    result.variants[name] = {
      total: summarise(values),
      ...(name === 'Express' ? {} : { overExpress: summarise(over(name, 'Express')) }),
      ...(isOnSession ? { overSession: summarise(over(name, session)) } : {}),
    };
    result.perRound[name] = values.map((value) => Number(value.toFixed(1)));
  }
  // Round by round, so that what disturbs a round disturbs both sides of a ratio.
  for (const ours of Object.keys(cpuOf).filter((name) => name.startsWith('this package'))) {
    const session = ours.includes('connect-redis') ? 'Express + connect-redis' : 'Express + express-session';
    for (const peer of ['express-openid-connect', 'Auth.js getSession()', 'iron-session'].filter(
      (name) => cpuOf[name],
    )) {
      const ratio = (ourBaseline) => {
        const added = over(ours, ourBaseline);
        return summarise(over(peer, 'Express').map((value, round) => added[round] / value));
      };
      result.ratios[`${ours} / ${peer}`] = { added: ratio(session), withSession: ratio('Express') };
    }
  }
  return result;
}
