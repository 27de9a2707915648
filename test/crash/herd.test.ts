/** @tier all */
import { describeEachOn } from '../helpers/programs';
import { report, isReported, row } from './report';
import { Scene } from './scene';
import { openStage, storeKinds } from './stage';

// The command takes its time; an ordinary run that hangs must not.
jest.setTimeout(isReported ? 3_600_000 : 600_000);

/** What the token endpoint does, and how often a herd meets it. */
interface Day {
  delayMs: number;
  rounds: number;
  waitMs: number;
}

/** The full herd runs by `npm run herd`, with the slow days of Salesforce in real time. */
const herd: { processes: number; requests: number; days: readonly Day[] } = isReported
  ? {
      processes: 4,
      requests: 1_000,
      days: [
        { delayMs: 50, rounds: 10, waitMs: 10_000 },
        { delayMs: 3_000, rounds: 10, waitMs: 10_000 },
        { delayMs: 12_000, rounds: 3, waitMs: 10_000 },
        { delayMs: 25_000, rounds: 3, waitMs: 10_000 },
      ],
    }
  : {
      processes: 4,
      requests: 250,
      days: [
        { delayMs: 50, rounds: 2, waitMs: 10_000 },
        { delayMs: 4_000, rounds: 1, waitMs: 500 },
      ],
    };

/** How often each answer came to requests that came for the first time, and to those that came again as they were told. */
interface Answers {
  first: Record<string, number>;
  again: Record<string, number>;
  slowestMs: number;
}

const columns = [
  ...['Store', 'Token endpoint', 'Rounds', 'Requests', 'Token requests', '200 at once', '503 with Retry-After'],
  ...['Tries after a 503', '200 in the end', 'Other', 'Slowest answer'],
];
const lines = [row(columns), row(columns.map(() => '---'))];

describeEachOn(storeKinds)(`${herd.processes} × ${herd.requests} requests on a stale grant on %s`, (kind) => {
  it.each(herd.days)(
    'make one token request a round when it takes $delayMs ms',
    async ({ delayMs, rounds, waitMs }) => {
      const stage = await openStage(kind);
      const scene = await Scene.open(stage, { waitMs, leaseMs: 15_000, cacheMs: 2_000 });
      const apps = [scene.a, scene.b];
      while (apps.length < herd.processes) apps.push(await scene.openApp(await stage.pool.take()));
      const cookie = [...scene.user.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const tokenOf = async (app = scene.b, path = '/token'): Promise<string> => {
        const response = await scene.browse(app, path, scene.user);
        return ((await response.json()) as { accessToken: string }).accessToken;
      };
      const first: Record<string, number> = {};
      const again: Record<string, number> = {};
      let slowestMs = 0;
      try {
        for (let round = 1; round <= rounds; round++) {
          const rejected = await tokenOf();
          scene.expire();
          scene.fault({ on: 'refresh', kind: 'delay', delayMs });
          const stored = Promise.race(apps.map((app) => app.worker.heard('refresh.succeeded', app.id)));
          const given = { cookie, rejected, requests: herd.requests };
          const answers = await Promise.all(
            apps.map(({ worker, id }) => worker.call<Answers>('herd', { app: id, ...given })),
          );
          await stored;
          for (const answer of answers) {
            count(first, answer.first);
            count(again, answer.again);
            slowestMs = Math.max(slowestMs, answer.slowestMs);
          }
          expect(scene.presented).toBe(round);
          const after = await Promise.all(apps.map((app) => tokenOf(app, '/herd')));
          expect(new Set(after).size).toBe(1);
          expect(after).not.toContain(rejected);
        }
        const asked = herd.processes * herd.requests * rounds;
        const [atOnce, later] = [first['200'] ?? 0, again['200'] ?? 0];
        const refused = first['503 with Retry-After'] ?? 0;
        // Past the wait limit it is a matter of the machine who is told to come back, and who came late enough to get the token.
        if (delayMs > waitMs) expect(atOnce + refused).toBe(asked);
        else expect(first).toEqual({ '200': asked });
        expect(atOnce + later).toBe(asked);
        expect(Object.keys({ ...again, '200': 0, '503 with Retry-After': 0 }).sort()).toEqual([
          '200',
          '503 with Retry-After',
        ]);
        expect(scene.emulator.violations).toEqual([]);
        expect(scene.live()).toBe(1);
        const tries = Object.values(again).reduce((sum, each) => sum + each, 0);
        lines.push(
          row([
            ...[kind, `${delayMs} ms`, rounds, asked, scene.presented, atOnce, refused, tries, atOnce + later],
            ...[asked - atOnce - refused, `${(slowestMs / 1000).toFixed(1)} s`],
          ]),
        );
      } finally {
        await scene.close();
        await stage.end();
      }
    },
  );
});

afterAll(() => {
  if (isReported) report('herd', lines);
});

function count(counts: Record<string, number>, more: Record<string, number>): void {
  for (const [answer, times] of Object.entries(more)) counts[answer] = (counts[answer] ?? 0) + times;
}
