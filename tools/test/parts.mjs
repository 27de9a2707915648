import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Real programs the tests drive. Each is looked for in `env`, then on PATH, and else installed where that is possible. */
const parts = [
  {
    name: 'Chromium',
    env: 'CHROMIUM_PATH',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    debianPackage: 'chromium',
    usedBy: 'the browser tests',
  },
];

/** @returns the environment variables that tell the tests where the parts are; those not to be had are left out */
export function provideParts() {
  return Object.fromEntries(parts.map((part) => [part.env, provide(part)]).filter(([, path]) => path !== undefined));
}

function provide(part) {
  const given = process.env[part.env];
  if (given) {
    if (!isExecutable(given)) fail(`${part.env} is ${given}, which cannot be run.`);
    return given;
  }
  const found = onPath(part.commands) ?? (install(part) ? onPath(part.commands) : undefined);
  if (found === undefined) {
    console.error(
      `\n${'!'.repeat(80)}\n${part.name} is missing, so ${part.usedBy} are SKIPPED. Install it ` +
        `(Debian: apt-get install ${part.debianPackage}), or set ${part.env} to its path.\n${'!'.repeat(80)}\n`,
    );
  }
  return found;
}

function onPath(commands) {
  const folders = (process.env.PATH ?? '').split(delimiter);
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
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  return apt('update') && apt('install', '--yes', '--no-install-recommends', debianPackage);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
