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

/**
 * @typedef {object} Program
 * @property {string} env the variable that may hold its path
 * @property {string[]} commands
 * @property {string} debian its package there
 * @property {string} brew
 * @property {boolean} [isOptional] continuous integration runs without it, if it cannot be installed
 */

/** @type {Record<string, Program>} */
export const programs = {
  Chromium: {
    env: 'CHROMIUM_PATH',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    debian: 'chromium',
    brew: 'chromium',
  },
  Redis: { env: 'REDIS_SERVER_PATH', commands: ['redis-server'], debian: 'redis-server', brew: 'redis' },
  // Debian 12 has it in its backports only.
  Valkey: {
    env: 'VALKEY_SERVER_PATH',
    commands: ['valkey-server'],
    debian: 'valkey-server',
    brew: 'valkey',
    isOptional: true,
  },
  PgBouncer: { env: 'PGBOUNCER_PATH', commands: ['pgbouncer'], debian: 'pgbouncer', brew: 'pgbouncer' },
  nginx: { env: 'NGINX_PATH', commands: ['nginx'], debian: 'nginx-light', brew: 'nginx' },
};

/**
 * @param {string} name
 * @returns {string | undefined} its path: from its variable, else from PATH
 */
export function findProgram(name) {
  const { env, commands } = programOf(name);
  const given = process.env[env];
  if (given) {
    if (!isExecutable(given)) throw new Error(`${env} is ${given}, which is not a program.`);
    return given;
  }
  // On Debian, servers are in a folder that only the administrator has on PATH.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return commands.flatMap((command) => folders.map((folder) => join(folder, command))).find(isExecutable);
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
  const { debian, brew, env } = programOf(name);
  return `Install it (Debian: apt-get install ${debian}; macOS: brew install ${brew}), or set ${env} to its path.`;
}

/**
 * Installs missing programs, on Debian as root only.
 *
 * @param {string[]} names
 * @returns {string[]} those that are still missing
 */
export function installPrograms(names) {
  const isMissing = (/** @type {string} */ name) => findProgram(name) === undefined;
  const missing = names.filter(isMissing);
  if (missing.length > 0 && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    console.error(`Installing ${missing.join(', ')}…`);
    // In this run level, packages start no service. The tests start their own servers.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const apt = (/** @type {string[]} */ ...args) =>
      spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    apt('update');
    // One package at a time, so that one failure does not stop the others.
    for (const name of missing) apt('install', '--yes', '--no-install-recommends', programOf(name).debian);
    const later = missing.filter(isMissing).map((name) => programOf(name).debian);
    if (later.length > 0) installFromBackports(later, apt);
  }
  return missing.filter(isMissing);
}

/**
 * Installs packages of newer Debian releases. The list of sources is used for this one time, and is the machine's own list with
 * another suite.
 *
 * @param {string[]} packages
 * @param {(...args: string[]) => unknown} apt
 */
function installFromBackports(packages, apt) {
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
  apt(...options, 'install', '--yes', '--no-install-recommends', ...packages);
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
