// @ts-check
/**
 * The newest supported line of Node.js, from the npm package `node`. It has SQLite, and the oldest supported line has not. As a
 * program, this file installs it and prints its path.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const version = '26';
const folder = fileURLToPath(new URL('../../node_modules/.cache/newest-node', import.meta.url));
const program = join('node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** @returns {string | undefined} its path, if it is installed */
export function findNewestNode() {
  const path = join(folder, program);
  return existsSync(path) ? path : undefined;
}

/** Installs it below node_modules/.cache, where no other program finds it by chance. */
export function installNewestNode() {
  if (findNewestNode()) return;
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel', 'error'];
  mkdirSync(dirname(folder), { recursive: true });
  // Several processes may install at once: each brings a whole folder, and the first one wins.
  const own = mkdtempSync(`${folder}-`);
  spawnSync('npm', ['install', '--prefix', own, ...quiet, `node@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  try {
    if (existsSync(join(own, program))) renameSync(own, folder);
  } catch {
    // Another process was first.
  }
  rmSync(own, { recursive: true, force: true });
}

/** @returns {string | undefined} a Node.js with SQLite: this one, or the newest one if it is installed */
export function findNodeWithSqlite() {
  const { getBuiltinModule } = /** @type {{ getBuiltinModule?: (name: string) => unknown }} */ (process);
  return getBuiltinModule?.call(process, 'node:sqlite') ? process.execPath : findNewestNode();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installNewestNode();
  const path = findNewestNode();
  if (path === undefined) throw new Error(`npm could not install Node.js ${version}.`);
  console.log(path);
}
