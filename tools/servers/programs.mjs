// @ts-check
/** Real programs of tests, benchmarks and the example: their paths, and how to install them. */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findNodeWithSqlite, installNewestNode } from './newest-node.mjs';

/**
 * @typedef {object} Program
 * @property {string} env the variable that may hold its path
 * @property {() => string | undefined} find
 * @property {() => void} install does nothing if it cannot
 * @property {string} advice
 * @property {boolean} [isFromNpm] no system package: tests install it without being asked to
 * @property {boolean} [isOptional] continuous integration runs without it, if it cannot be installed
 */

/** Whether this process has asked Debian for its newest packages. */
let isUpdated = false;

/** @type {Record<string, Program>} */
export const programs = {
  Chromium: {
    env: 'CHROMIUM_PATH',
    ...systemPackage({
      commands: ['chromium', 'chromium-browser', 'google-chrome'],
      debian: 'chromium',
      brew: 'chromium',
    }),
  },
  Redis: {
    env: 'REDIS_SERVER_PATH',
    ...systemPackage({ commands: ['redis-server'], debian: 'redis-server', brew: 'redis' }),
  },
  PgBouncer: {
    env: 'PGBOUNCER_PATH',
    ...systemPackage({ commands: ['pgbouncer'], debian: 'pgbouncer', brew: 'pgbouncer' }),
  },
  nginx: { env: 'NGINX_PATH', ...systemPackage({ commands: ['nginx'], debian: 'nginx-light', brew: 'nginx' }) },
  /** A Node.js that has node:sqlite. Processes of tests run on it. */
  SQLite: {
    env: 'SQLITE_NODE_PATH',
    find: findNodeWithSqlite,
    install: installNewestNode,
    isFromNpm: true,
    advice: 'Run the tests with Node.js 22.13 or later (npm run test:all does)',
  },
  // Debian 12 has it in its backports only.
  Valkey: {
    env: 'VALKEY_SERVER_PATH',
    ...systemPackage({ commands: ['valkey-server'], debian: 'valkey-server', brew: 'valkey' }),
    isOptional: true,
  },
};

/**
 * @param {string} name
 * @returns {string | undefined} its path: from its variable, else from PATH
 */
export function findProgram(name) {
  const { env, find } = programOf(name);
  const given = process.env[env];
  if (!given) return find();
  if (!isExecutable(given)) throw new Error(`${env} is ${given}, which is not a program.`);
  return given;
}

/**
 * @param {string} name
 * @returns {string} its path
 */
export function requireProgram(name) {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is missing. ${adviceOn(name)}`);
  return path;
}

/** @param {string} name */
export function adviceOn(name) {
  const { advice, env } = programOf(name);
  return `${advice}, or set ${env} to its path.`;
}

/**
 * Installs missing programs: from Debian, as root only, or from npm.
 *
 * @param {string[]} names
 * @returns {string[]} those that are still missing
 */
export function installPrograms(names) {
  const isMissing = (/** @type {string} */ name) => findProgram(name) === undefined;
  // One at a time, so that one failure does not stop the others.
  for (const name of names.filter(isMissing)) {
    console.error(`Installing ${name}…`);
    programOf(name).install();
  }
  return names.filter(isMissing);
}

/**
 * A program of the system: found on PATH, and installed from Debian.
 *
 * @param {{ commands: string[], debian: string, brew: string }} names
 * @returns {Omit<Program, 'env'>}
 */
function systemPackage({ commands, debian, brew }) {
  return {
    find: () => {
      // On Debian, servers are in a folder that only the administrator has on PATH.
      const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
      return commands.flatMap((command) => folders.map((folder) => join(folder, command))).find(isExecutable);
    },
    install: () => {
      if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return;
      // In this run level, packages start no service. The tests start their own servers.
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
      const apt = (/** @type {string[]} */ ...args) =>
        spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
      if (!isUpdated) apt('update');
      isUpdated = true;
      const { status } = apt('install', '--yes', '--no-install-recommends', debian);
      if (status !== 0) installFromBackports(debian, apt);
    },
    advice: `Install it (Debian: apt-get install ${debian}; macOS: brew install ${brew})`,
  };
}

/**
 * Installs a package of a newer Debian release. The list of sources is used for this one time. It is the machine's own list with
 * another suite.
 *
 * @param {string} debian
 * @param {(...args: string[]) => unknown} apt
 */
function installFromBackports(debian, apt) {
  const own = '/etc/apt/sources.list.d/debian.sources';
  if (!existsSync(own)) return;
  const folder = mkdtempSync(join(tmpdir(), 'backports-'));
  const list = join(folder, 'backports.sources');
  const [release = ''] = readFileSync(own, 'utf8').split(/\n\s*\n/);
  writeFileSync(list, `${release}\n\n${release.replace(/^Suites: *(\w+).*$/m, 'Suites: $1-backports')}\n`);
  mkdirSync(join(folder, 'lists/partial'), { recursive: true });
  const settings = [
    `Dir::Etc::sourcelist=${list}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${folder}/lists`,
  ];
  const options = settings.flatMap((setting) => ['-o', setting]);
  apt(...options, 'update');
  apt(...options, 'install', '--yes', '--no-install-recommends', debian);
  rmSync(folder, { recursive: true });
}

/**
 * @param {string} name
 * @returns {Program}
 */
function programOf(name) {
  const program = programs[name];
  if (!program) throw new Error(`There is no program ${name}; there are: ${Object.keys(programs).join(', ')}.`);
  return program;
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
