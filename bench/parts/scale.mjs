import { createClient } from 'redis';
import { startApplication } from '../lib/applications.mjs';
import { fromRoot } from '../lib/paths.mjs';
import { startProcess } from '../lib/process.mjs';
import { round, summarise } from '../lib/statistics.mjs';
import { quietMeans, takeTurns } from '../lib/turns.mjs';

const kinds = { memory: 'memory', redis: 'Redis', postgres: 'PostgreSQL' };

/** The cost of one more grant, and the cost of a request with many grants. */
export async function measure({ quick, emulator, servers, log }) {
  const effort = quick
    ? { sizes: [1, 1_000, 10_000], rounds: 3, turns: 4, reads: 250 }
    : { sizes: [1, 10_000, 100_000, 1_000_000], rounds: 9, turns: 16, reads: 500 };
  const stores = {};
  for (const [kind, name] of Object.entries(kinds)) {
    stores[name] = await measureStore(kind, { ...effort, url: servers[kind]?.url, log });
  }
  const operations = {};
  for (const kind of ['redis', 'postgres'])
    operations[kinds[kind]] = await countOperations(kind, { emulator, servers });
  return { ...effort, stores, operations };
}

/** Each size has its own process and its own place in the store, so that the sizes can be read in turns. */
async function measureStore(kind, { sizes, rounds, turns, reads, url, log }) {
  const programs = [];
  const results = [];
  let startMs;
  try {
    for (const [place, grants] of sizes.entries()) {
      const startedAt = performance.now();
      const args = [kind, url ?? '', String(place)];
      const execArgv = ['--expose-gc', '--max-old-space-size=6144'];
      const program = await startProcess(fromRoot('bench/lib/scale-process.mjs'), { args, execArgv });
      programs.push(program);
      startMs ??= round(performance.now() - startedAt);
      const empty = await program.call('bytes');
      await program.call('fill', grants);
      const bytes = await program.call('bytes');
      await program.call('lookUp', reads);
      // With one grant, the result would be the size of the table itself.
      results.push({ grants, ...(grants > 1 ? { bytesPerGrant: Math.round((bytes - empty) / grants) } : {}) });
      log(`  ${kind} with ${grants} grants`);
    }
    const drives = programs.map((program) => () => program.call('lookUp', reads));
    await takeTurns(drives, turns);
    const means = [];
    for (let count = 0; count < rounds; count++) means.push(quietMeans(await takeTurns(drives, turns)));
    for (const [at, result] of results.entries()) {
      result.lookUpUs = summarise(means.map((row) => row[at]));
      result.timesOne = summarise(means.map((row) => row[at] / row[0]));
      const sweepMs = await programs[at].call('sweepMs');
      if (sweepMs !== undefined) result.sweepMs = round(sweepMs);
      await programs[at].call('close');
    }
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
  }
  return { startMs, sizes: results };
}

/** Commands or statements of one request, counted by the server itself. */
async function countOperations(kind, { emulator, servers }) {
  const { url: emulatorUrl } = await emulator.call('describe');
  const common = { emulatorUrl, redisUrl: servers.redis.url, postgresUrl: servers.postgres.url, store: kind };
  const count = kind === 'redis' ? () => redisCommands(servers.redis.url) : undefined;
  const measureWith = async (options, path, requests) => {
    const given = { ...common, options, countStatements: kind === 'postgres' };
    const app = await startApplication({ emulator, module: 'ours', policy: { rotateRefreshTokens: true }, given });
    try {
      const { cookie } = await app.logIn();
      await app.call('drive', { path: '/token', cookie, count: 10 });
      const before = count ? await count() : await app.call('ask', 'statements');
      await app.call('drive', { path, cookie, count: requests, concurrency: 1 });
      const after = count ? await count() : await app.call('ask', 'statements');
      return round((after - before) / requests);
    } finally {
      await app.stop();
    }
  };
  return {
    warm: await measureWith({ refresh: { cacheMs: 60_000 } }, '/token', 200),
    cold: await measureWith({ refresh: { cacheMs: 0 } }, '/token', 200),
    refresh: await measureWith({ refresh: { cacheMs: 60_000 } }, '/probe', 20),
  };
}

/** Counts calls of clients. Commands inside of a script need no network round trip. */
async function redisCommands(url) {
  const client = await createClient({ url }).connect();
  try {
    const text = await client.info('commandstats');
    return (
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1] ?? 0) +
      Number(/cmdstat_eval:calls=(\d+)/.exec(text)?.[1] ?? 0)
    );
  } finally {
    client.destroy();
  }
}
