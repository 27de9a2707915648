// @ts-check
/** The newest supported line of Node.js, from the npm package `node`. It has SQLite, and the oldest supported line has not. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const version = '26';
const folder = fileURLToPath(new URL('../../node_modules/.cache/newest-node', import.meta.url));
const program = join(folder, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** @returns {string | undefined} its path, if it is installed */
export function findNewestNode() {
  return existsSync(program) ? program : undefined;
}

/** Installs it below node_modules/.cache, where no other program finds it by chance. */
export function installNewestNode() {
  if (findNewestNode()) return;
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel', 'error'];
  spawnSync('npm', ['install', '--prefix', folder, ...quiet, `node@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
}

/** @returns {string | undefined} a Node.js with SQLite: this one, or the newest one if it is installed */
export function findNodeWithSqlite() {
  const { getBuiltinModule } = /** @type {{ getBuiltinModule?: (name: string) => unknown }} */ (process);
  return getBuiltinModule?.call(process, 'node:sqlite') ? process.execPath : findNewestNode();
}
