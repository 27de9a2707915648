/** An application in a process of its own. The argument names a module of bench/apps. */
import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { allocatedBytes } from './allocations.mjs';
import { collectionUs } from './collections.mjs';
import { drive, get } from './inject.mjs';
import { serve } from './process.mjs';
import { quietMeans, takeTurns } from './turns.mjs';

const { create, loginPath, answers } = await import(`../apps/${process.argv[2]}.mjs`);

let app;
/** Baselines in the same process. The last one is also served. */
const floors = [];
const floorPath = '/floor';
const server = createServer((req, res) => {
  // Load generators open their connections with this path.
  if (req.url === '/ready') res.writeHead(204).end();
  else if (req.url.startsWith(floorPath)) {
    req.url = req.url.slice(floorPath.length);
    floors.at(-1).app(req, res);
  } else app(req, res);
});
server.keepAliveTimeout = 0;
await new Promise((resolve) => server.listen(0, '127.0.0.1', 20_000, resolve));
const { port } = server.address();
const host = `localhost:${port}`;
const url = `http://${host}`;
const delay = monitorEventLoopDelay({ resolution: 10 });

serve({
  describe: () => ({ port, url, loginPath }),
  create: async (given) => {
    app = await create({ ...given, url });
    app.use((error, _req, res, next) => {
      if (res.headersSent) next(error);
      else res.status(error.status ?? 500).json({ error: String(error.code ?? error.message).slice(0, 200) });
    });
  },
  addFloor: async ({ module, given }) => {
    const floor = await import(`../apps/${module}.mjs`);
    const floorApp = await floor.create(given);
    const login = floor.loginPath && (await get(floorApp, floor.loginPath, { host }));
    const lines = [login?.getHeader('set-cookie') ?? []].flat();
    const cookie = lines.map((line) => line.split(';')[0]).join('; ');
    floors.push({ app: floorApp, answers: floor.answers, cookie });
    return { path: floorPath, cookie };
  },
  askFloor: (question) => floors.at(-1).answers[question](),
  drive: (given) => drive(app, { host, ...given }),
  /** CPU microseconds per request, of the baselines and of the application, in the quietest quarter of the turns. */
  takeTurns: async ({ turns, ...given }) => {
    const all = [...floors, { app, cookie: given.cookie }];
    const drives = all.map(({ app: driven, cookie }) => async () => {
      const { cpuPerRequestUs } = await drive(driven, { ...given, host, cookie });
      return cpuPerRequestUs;
    });
    return quietMeans(await takeTurns(drives, turns));
  },
  /** Bytes allocated per request. */
  allocations: async (given) => (await allocatedBytes(() => drive(app, { host, ...given }))) / given.count,
  /** Microseconds of garbage collection per request. */
  collections: async (given) => (await collectionUs(() => drive(app, { host, ...given }))) / given.count,
  memory: () => {
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    return { heapUsed, rss };
  },
  watchDelay: () => {
    delay.reset();
    delay.enable();
  },
  delay: () => ({ p50Ms: delay.percentile(50) / 1e6, p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 }),
  ask: (question) => answers[question](),
});
