/** An application in a process of its own. The argument names a module of bench/apps. */
import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { allocatedBytes } from './allocations.mjs';
import { drive } from './inject.mjs';
import { serve } from './process.mjs';

const { create, loginPath, answers } = await import(`../apps/${process.argv[2]}.mjs`);

let app;
const server = createServer((req, res) => {
  // For clients that open a connection beforehand.
  if (req.url === '/ready') res.writeHead(204).end();
  else app(req, res);
});
server.keepAliveTimeout = 0;
await new Promise((resolve) => server.listen(0, '127.0.0.1', 20_000, resolve));
const { port } = server.address();
const url = `http://localhost:${port}`;
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
  drive: (given) => drive(app, { host: `localhost:${port}`, ...given }),
  /** Bytes allocated per request. */
  allocations: async (given) => {
    const bytes = await allocatedBytes(() => drive(app, { host: `localhost:${port}`, ...given }));
    return bytes / given.count;
  },
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
