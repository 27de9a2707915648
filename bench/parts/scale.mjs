import { createClient } from 'redis';
import { startApplication } from '../lib/applications.mjs';
import { fromRoot } from '../lib/paths.mjs';
import { startProcess } from '../lib/process.mjs';
import { round, summarise } from '../lib/statistics.mjs';

const kinds = { memory: 'memory', redis: 'Redis', postgres: 'PostgreSQL' };

/** What one more grant costs, and what many cost a request. */
export async function measure({ quick, emulator, servers, log }) {
  const sizes = quick ? [1, 1_000, 10_000] : [1, 10_000, 100_000, 1_000_000];
  const rounds = quick ? 3 : 9;
  const stores = {};
  for (const [kind, name] of Object.entries(kinds)) {
    stores[name] = await measureStore(kind, {
      sizes,
      rounds,
      reads: quick ? 1_000 : 4_000,
      url: servers[kind]?.url,
      log,
    });
  }
  const operations = {};
  for (const kind of ['redis', 'postgres'])
    operations[kinds[kind]] = await countOperations(kind, { emulator, servers });
  return { stores, operations };
}

async function measureStore(kind, { sizes, rounds, reads, url, log }) {
  const results = [];
  const startedAt = performance.now();
  const execArgv = ['--expose-gc', '--max-old-space-size=6144'];
  const program = await startProcess(fromRoot('bench/lib/scale-process.mjs'), { args: [kind, url ?? ''], execArgv });
  const startMs = performance.now() - startedAt;
  try {
    let empty;
    for (const grants of sizes) {
      const before = await program.call('fill', grants);
      empty ??= before;
      const bytes = await program.call('bytes');
      await program.call('lookUp', reads);
      const lookUps = [];
      for (let count = 0; count < rounds; count++) lookUps.push(await program.call('lookUp', reads));
      const sweepMs = await program.call('sweepMs');
      results.push({
        grants,
        // Of one grant it would be the size of what surrounds it.
        ...(grants > 1 ? { bytesPerGrant: Math.round((bytes - empty) / grants) } : {}),
        lookUpUs: summarise(lookUps),
        ...(sweepMs === undefined ? {} : { sweepMs: round(sweepMs) }),
      });
      log(`  ${kind} with ${grants} grants`);
    }
    await program.call('close');
  } finally {
    await program.stop();
  }
  return { startMs: round(startMs), sizes: results };
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
    warm: await measureWith({ cacheMs: 600_000 }, '/token', 200),
    cold: await measureWith({ cacheMs: 0 }, '/token', 200),
    refresh: await measureWith({ cacheMs: 600_000 }, '/probe', 20),
  };
}

/** Calls by a client; what a script does inside the server is no trip. */
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
