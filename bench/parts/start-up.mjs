import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromRoot } from '../lib/paths.mjs';
import { shuffle, summarise } from '../lib/statistics.mjs';

/** Express and express-session belong to every variant, so they are not counted. */
const shared = ['express', 'express-session'];

const variants = [
  { name: 'this package', from: fromRoot('.'), packages: [], imports: ['./dist/index.mjs'] },
  { name: 'passport-forcedotcom', packages: ['passport', 'passport-forcedotcom'] },
  { name: 'express-openid-connect', packages: ['express-openid-connect'] },
  { name: 'Auth.js', packages: ['@auth/express', '@auth/core'] },
  {
    name: 'better-auth',
    packages: ['better-auth'],
    imports: ['better-auth', 'better-auth/node', 'better-auth/plugins'],
  },
  { name: 'iron-session', packages: ['iron-session'] },
  { name: 'jsforce', packages: ['jsforce'] },
];

/** An application that waits for requests: without this package, with it, and once a login has begun. */
const idle = {
  'Express and express-session': { mounts: false, path: '/' },
  'and this package': { mounts: true, path: '/' },
  'once a login has begun': { mounts: true, path: '/auth/salesforce' },
};

/** How long the import takes in a new process, what an installation brings, and the memory of an application that waits. */
export async function measure({ quick, log }) {
  const rounds = quick ? 5 : 15;
  const imports = Object.fromEntries(variants.map(({ name }) => [name, []]));
  const memory = Object.fromEntries(Object.keys(idle).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, from, imports: given, packages } of shuffle(variants)) {
      imports[name].push(importMs(from ?? fromRoot('bench'), given ?? packages));
    }
    for (const name of shuffle(Object.keys(idle))) memory[name].push(memoryOf(idle[name]));
  }
  log(`  imported ${rounds} times each`);
  return {
    rounds,
    variants: Object.fromEntries(
      variants.map(({ name, from, packages }) => [
        name,
        {
          importMs: summarise(imports[name]),
          // Round by round, since a disturbance hits all variants of a round.
          timesForcedotcom: summarise(imports[name].map((ms, round) => ms / imports['passport-forcedotcom'][round])),
          ...(from ? installedHere() : installed(packages)),
        },
      ]),
    ),
    idle: Object.fromEntries(
      Object.entries(memory).map(([name, found]) => [
        name,
        {
          heapBytes: summarise(found.map(({ heapUsed }) => heapUsed)),
          residentBytes: summarise(found.map(({ rss }) => rss)),
        },
      ]),
    ),
  };
}

/**
 * Measures in a process that has already loaded Express, as every application has. It is the CPU time, since what else the
 * machine does has less effect on CPU time.
 */
function importMs(cwd, packages) {
  const script = `await import('express'); await import('express-session');
    const before = process.cpuUsage();
    ${packages.map((name) => `await import('${name}');`).join('\n')}
    const { user, system } = process.cpuUsage(before);
    console.log((user + system) / 1000)`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd, encoding: 'utf8' }));
}

/** Measures a process that has answered one request, after a collection of garbage. */
function memoryOf({ mounts, path }) {
  const script = `
    import express from 'express';
    import session from 'express-session';
    const app = express();
    app.use(session({ secret: 'for the benchmark alone', resave: false, saveUninitialized: false }));
    ${
      mounts
        ? `const { salesforceAuth } = await import('./dist/index.mjs');
    app.use(salesforceAuth({ clientID: '__bench_client__', report: false }));`
        : ''
    }
    app.get('/', (_req, res) => res.json({}));
    const server = app.listen(0);
    await new Promise((resolve) => server.once('listening', resolve));
    const reply = await fetch('http://localhost:' + server.address().port + '${path}', { redirect: 'manual' });
    if (reply.status >= 400) throw new Error('The application answered ' + reply.status + '.');
    await reply.text();
    for (let turn = 0; turn < 3; turn++) { await new Promise((resolve) => setTimeout(resolve, 50)); gc(); }
    const { heapUsed, rss } = process.memoryUsage();
    console.log(JSON.stringify({ heapUsed, rss }));
    process.exit();`;
  const args = ['--expose-gc', '--input-type=module', '-e', script];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: fromRoot('.'), encoding: 'utf8' }));
}

function installed(packages) {
  const found = closure(packages.map((name) => locate(name, fromRoot('bench'))));
  return { packages: found.size, bytes: [...found].reduce((sum, folder) => sum + bytesOf(folder), 0) };
}

function installedHere() {
  const { dependencies } = readManifest(fromRoot('.'));
  const found = closure(Object.keys(dependencies).map((name) => locate(name, fromRoot('.'))));
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: fromRoot('.'), encoding: 'utf8' }),
  );
  const bytes = [...found].reduce((sum, folder) => sum + bytesOf(folder), packed.unpackedSize);
  return { packages: found.size + 1, bytes };
}

/** Folders of packages and of all they depend on. */
function closure(folders) {
  const found = new Set();
  const add = (folder) => {
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    const { dependencies = {} } = readManifest(folder);
    for (const name of Object.keys(dependencies)) if (!shared.includes(name)) add(locate(name, folder));
  };
  folders.forEach(add);
  return found;
}

/** Finds a package as Node.js does, from the folder upwards. */
function locate(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** The size without the packages inside, which are counted separately. */
function bytesOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    if (entry.name === 'node_modules') return sum;
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesOf(path) : entry.isFile() ? statSync(path).size : 0);
  }, 0);
}
