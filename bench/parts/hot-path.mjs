import { startApplication } from '../lib/applications.mjs';
import { shuffle, summarise } from '../lib/statistics.mjs';

const bare = { name: 'Express', module: 'bare' };
const sessions = { name: 'Express + express-session', module: 'session-only' };
const redisSessions = { name: 'Express + connect-redis', module: 'session-only', given: { sessions: 'redis' } };

/**
 * The variants in the order of the report. Each runs beside Express in its process, and with its sessions if it has sessions.
 */
const variants = [
  sessions,
  { name: 'the same and two empty middlewares', module: 'session-only', given: { layers: 2 }, on: sessions },
  { name: 'this package, memory', module: 'ours', given: { store: 'memory' }, on: sessions },
  { name: 'this package, Redis', module: 'ours', given: { store: 'redis' }, on: sessions },
  { name: 'this package, PostgreSQL', module: 'ours', given: { store: 'postgres' }, on: sessions },
  cold('this package, memory, cold', 'memory'),
  cold('this package, Redis, cold', 'redis'),
  cold('this package, PostgreSQL, cold', 'postgres'),
  { name: 'one bare read of Redis', module: 'session-only', given: { read: 'redis' }, on: sessions },
  { name: 'one bare read of PostgreSQL', module: 'session-only', given: { read: 'postgres' }, on: sessions },
  { name: 'passport.session(), memory', module: 'passport-session', on: sessions },
  redisSessions,
  {
    name: 'this package, Redis, on connect-redis',
    module: 'ours',
    given: { store: 'redis', sessions: 'redis' },
    on: redisSessions,
  },
  {
    name: 'passport.session(), connect-redis',
    module: 'passport-session',
    given: { sessions: 'redis' },
    on: redisSessions,
  },
  { name: 'iron-session', module: 'iron-session' },
  // It returns no access token if the reply has no expires_in, and Salesforce sends no expires_in.
  { name: 'express-openid-connect', module: 'express-openid-connect', policy: { expiresInSeconds: 7200 } },
  { name: 'Auth.js getSession()', module: 'auth-express' },
];

function cold(name, store) {
  return { name, module: 'ours', given: { store, options: { refresh: { cacheMs: 0 } } }, on: sessions };
}

/** Variants of a quick run. They are enough to see a regression. */
const quickOnes = [
  'the same and two empty middlewares',
  'this package, memory',
  'this package, Redis',
  'this package, Redis, cold',
  'express-openid-connect',
  'Auth.js getSession()',
];

const peers = ['express-openid-connect', 'Auth.js getSession()', 'iron-session'];

/**
 * Server CPU time per request, in microseconds. In each round every variant gets a new process, because a process keeps the
 * decisions of its compiler. In the process, the variant takes turns with its baselines.
 */
export async function measure({ quick, emulator, servers, log }) {
  const rounds = quick ? 3 : 5;
  // Until a process has answered this many requests, its compiler is still at work.
  const effort = quick
    ? { warmUp: 1_000, turns: 60, requests: 20, counted: 1_000 }
    : { warmUp: 20_000, turns: 120, requests: 20, counted: 2_000 };
  const { url: emulatorUrl } = await emulator.call('describe');
  const common = { emulatorUrl, redisUrl: servers.redis?.url, postgresUrl: servers.postgres?.url };
  const chosen = variants.filter(({ name }) => !quick || quickOnes.includes(name));
  const measured = new Map(chosen.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const variant of shuffle(chosen)) {
      measured.get(variant.name).push(await runOnce(variant, { emulator, common, effort }));
    }
    log(`  round ${round + 1} of ${rounds}`);
  }
  return {
    unit: 'µs of server CPU per request, in the quietest quarter of the turns',
    ...effort,
    ...compare(chosen, measured),
  };
}

/** Measures one process: the cost of a request, and its difference to each baseline. */
async function runOnce({ name, module, policy, given, on }, { emulator, common, effort }) {
  const app = await startApplication({ emulator, module, policy, given: { ...common, ...given } });
  try {
    for (const floor of on ? [bare, on] : [bare]) {
      await app.call('addFloor', { module: floor.module, given: { ...common, ...floor.given } });
    }
    const { cookie } = await app.logIn();
    const { warmUp, turns, requests, counted } = effort;
    const asked = { path: '/token', cookie };
    await app.call('takeTurns', { ...asked, turns: Math.ceil(warmUp / requests), count: requests });
    const means = await app.call('takeTurns', { ...asked, turns, count: requests });
    const { statuses, setCookieBytes } = await app.call('drive', { ...asked, count: requests });
    if (Object.keys(statuses).join() !== '200') throw new Error(`${name} answered ${JSON.stringify(statuses)}.`);
    return {
      express: means[0],
      floor: means.at(-2),
      total: means.at(-1),
      setCookieBytes,
      collectionUs: await app.call('collections', { ...asked, count: counted }),
      allocatedBytes: await app.call('allocations', { ...asked, count: Math.ceil(counted / 3) }),
    };
  } finally {
    await app.stop();
  }
}

function compare(chosen, measured) {
  const all = [...measured.values()].flat();
  const result = { express: summarise(all.map(({ express }) => express)), variants: {}, ratios: {}, perRound: {} };
  for (const { name, on } of chosen) {
    const runs = measured.get(name);
    const of = (figure) => summarise(runs.map(figure));
    result.variants[name] = {
      total: of(({ total }) => total),
      overExpress: of(({ total, express }) => total - express),
      ...(on && { overSession: of(({ total, floor }) => total - floor) }),
      collection: of(({ collectionUs }) => collectionUs),
      allocatedBytes: Math.round(of((run) => run.allocatedBytes).median),
      setCookieBytes: runs[0].setCookieBytes,
    };
    result.perRound[name] = runs.map(({ express, floor, total }) =>
      [express, floor, total].map((us) => +us.toFixed(1)),
    );
  }
  for (const ours of chosen.map(({ name }) => name).filter((name) => name.startsWith('this package'))) {
    for (const peer of peers.filter((name) => measured.has(name))) {
      result.ratios[`${ours} / ${peer}`] = {
        added: ratio(measured.get(ours), measured.get(peer), ({ floor }) => floor),
        withSession: ratio(measured.get(ours), measured.get(peer), ({ express }) => express),
      };
    }
  }
  return result;
}

/**
 * The added cost of each variant, relative to plain Express in the same process. The speed of the machine thus has no
 * influence.
 */
function ratio(ours, peer, baselineOf) {
  const inExpresses = (run, baseline) => (run.total - baseline) / run.express;
  return summarise(
    ours.map((run, round) => inExpresses(run, baselineOf(run)) / inExpresses(peer[round], peer[round].express)),
  );
}
