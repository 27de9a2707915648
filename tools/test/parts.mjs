// @ts-nocheck: checked where the example is, which uses it, and not written for that
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Real programs the tests drive. Each is looked for in `env`, then on PATH, and else installed where that is possible.
 * Without a required one there is no test run: leaving its tests out would pass for passing them.
 */
const parts = [
  {
    name: 'Chromium',
    env: 'CHROMIUM_PATH',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    debianPackage: 'chromium',
    brewPackage: 'chromium',
    usedBy: 'the browser tests',
    isRequired: false,
  },
  {
    name: 'Redis',
    env: 'REDIS_SERVER_PATH',
    commands: ['redis-server'],
    debianPackage: 'redis-server',
    brewPackage: 'redis',
    usedBy: 'the tests of RedisTokenStore',
    isRequired: true,
  },
  {
    name: 'PgBouncer',
    env: 'PGBOUNCER_PATH',
    commands: ['pgbouncer'],
    debianPackage: 'pgbouncer',
    brewPackage: 'pgbouncer',
    usedBy: 'the tests of PostgresTokenStore behind a connection pooler',
    isRequired: true,
  },
];

/**
 * @param names the parts to see to; default all
 * @returns the environment variables that tell the tests where the parts are; those not to be had are left out
 */
export function provideParts(names = parts.map(({ name }) => name)) {
  const wanted = parts.filter(({ name }) => names.includes(name));
  const found = wanted.map((part) => ({ ...part, path: provide(part) }));
  const missing = found.filter(({ path }) => path === undefined);
  for (const part of missing.filter(({ isRequired }) => !isRequired)) {
    const frame = '!'.repeat(80);
    console.error(`\n${frame}\n${part.name} is missing, so ${part.usedBy} are SKIPPED. ${advice(part)}\n${frame}\n`);
  }
  const required = missing.filter(({ isRequired }) => isRequired);
  if (required.length > 0) {
    fail(required.map((part) => `${part.name} is missing, and ${part.usedBy} need it. ${advice(part)}`).join('\n'));
  }
  return Object.fromEntries(found.filter(({ path }) => path !== undefined).map(({ env, path }) => [env, path]));
}

function provide(part) {
  const given = process.env[part.env];
  if (given) {
    if (!isExecutable(given)) fail(`${part.env} is ${given}, which cannot be run.`);
    return given;
  }
  return onPath(part.commands) ?? (install(part) ? onPath(part.commands) : undefined);
}

function advice({ env, debianPackage, brewPackage }) {
  return `Install it (Debian: apt-get install ${debianPackage}; macOS: brew install ${brewPackage}), or set ${env} to its path.`;
}

function onPath(commands) {
  // Debian keeps servers where only an administrator's PATH leads.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return commands.flatMap((command) => folders.map((folder) => join(folder, command))).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Only as root on Debian, as in a container: elsewhere the machine is its owner's business. */
function install({ name, debianPackage }) {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return false;
  console.error(`Installing ${name} for the tests…`);
  // The run level of maintenance, in which a package starts no service: the tests start their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  return apt('update') && apt('install', '--yes', '--no-install-recommends', debianPackage);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
