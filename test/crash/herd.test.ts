/** @tier all */
import { describeEachOn } from '../helpers/programs';
import { report, isReported, row } from './report';
import { Scene } from './scene';
import { openStage, storeKinds } from './stage';

// The command takes its time; an ordinary run that hangs must not.
jest.setTimeout(isReported ? 3_600_000 : 600_000);

/** The full herd runs by `npm run herd`. */
const herd = isReported
  ? { processes: 4, requests: 1_000, rounds: 10, delaysMs: [50, 3_000, 12_000] }
  : { processes: 4, requests: 250, rounds: 2, delaysMs: [50] };

const waitMs = 10_000;

const lines = [
  row([
    'Store',
    'Token endpoint',
    'Rounds',
    'Requests',
    'Token requests',
    '200',
    '503 with Retry-After',
    'Other',
    'Slowest round',
  ]),
  row(['---', '---', '---', '---', '---', '---', '---', '---', '---']),
];

describeEachOn(storeKinds)(`${herd.processes} × ${herd.requests} requests on a stale grant on %s`, (kind) => {
  it.each(herd.delaysMs)('make one token request a round when it takes %d ms', async (delayMs) => {
    const stage = await openStage(kind);
    const scene = await Scene.open(stage, { waitMs, leaseMs: 15_000, cacheMs: 2_000 });
    const apps = [scene.a, scene.b];
    while (apps.length < herd.processes) apps.push(await scene.openApp(await stage.pool.take()));
    const cookie = [...scene.user.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const tokenOf = async (app = scene.b, path = '/token'): Promise<string> => {
      const response = await scene.browse(app, path, scene.user);
      return ((await response.json()) as { accessToken: string }).accessToken;
    };
    const counts: Record<string, number> = {};
    let slowestMs = 0;
    try {
      for (let round = 1; round <= herd.rounds; round++) {
        const rejected = await tokenOf();
        scene.expire();
        scene.fault({ on: 'refresh', kind: 'delay', delayMs });
        const stored = Promise.race(apps.map((app) => app.worker.heard('refresh.succeeded', app.id)));
        const startedAt = performance.now();
        const answers = await Promise.all(
          apps.map((app) =>
            app.worker.call<Record<string, number>>('herd', {
              app: app.id,
              cookie,
              rejected,
              requests: herd.requests,
            }),
          ),
        );
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
        await stored;
        for (const [answer, count] of answers.flatMap((one) => Object.entries(one)))
          counts[answer] = (counts[answer] ?? 0) + count;
        expect(scene.presented).toBe(round);
        const after = await Promise.all(apps.map((app) => tokenOf(app, '/herd')));
        expect(new Set(after).size).toBe(1);
        expect(after).not.toContain(rejected);
      }
      const asked = herd.processes * herd.requests * herd.rounds;
      const answered = (counts['200'] ?? 0) + (counts['503 with Retry-After'] ?? 0);
      // Past the wait limit it is a matter of the machine who is told to come back, and who came late enough to get the token.
      if (delayMs > waitMs) expect(answered).toBe(asked);
      else expect(counts).toEqual({ '200': asked });
      expect(scene.emulator.violations).toEqual([]);
      expect(scene.live()).toBe(1);
      lines.push(
        row([
          ...[kind, `${delayMs} ms`, herd.rounds, asked, scene.presented],
          ...[counts['200'] ?? 0, counts['503 with Retry-After'] ?? 0, asked - answered],
          `${(slowestMs / 1000).toFixed(1)} s`,
        ]),
      );
    } finally {
      await scene.close();
      await stage.end();
    }
  });
});

afterAll(() => {
  if (isReported) report('herd', lines);
});
