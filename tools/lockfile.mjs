/**
 * Adds to package-lock.json the binaries of other platforms that npm left out (https://github.com/npm/cli/issues/4828),
 * since `npm ci` refuses a lockfile without them. With `--check`, names them and changes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];
const libraries = { glibc: 'glibc', gnu: 'glibc', musl: 'musl' };

const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { packages } = lockfile;
const missing = Object.entries(packages).flatMap(([parent, { optionalDependencies = {}, dev }]) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !isLocked(parent, name))
    .map(([name, range]) => ({ name, range, dev })),
);
if (process.argv.includes('--check')) {
  for (const { name, range } of missing) console.error(`package-lock.json lacks ${name}@${range}.`);
  if (missing.length > 0) console.error('Complete it with: node tools/lockfile.mjs');
  process.exitCode = missing.length > 0 ? 1 : 0;
} else {
  for (const { name, range, dev } of missing) packages[`node_modules/${name}`] = platformPackage(name, range, dev);
  lockfile.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync('package-lock.json', `${JSON.stringify(lockfile, null, 2)}\n`);
  console.log(`Added ${missing.length} packages.`);
}

/** Searches from the parent's own node_modules up to the root, as Node.js does. */
function isLocked(parent, name) {
  for (let folder = parent; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    if (packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}

/** An entry without `integrity`. npm on that platform gets it from the registry. */
function platformPackage(name, range, dev) {
  const version = range.replace(/^[\^~]/, '');
  const words = name.split('/').at(-1).split('-');
  const os = words.find((word) => systems.includes(word));
  const cpu = words.find((word) => processors.includes(word));
  const libc = words.map((word) => libraries[word]).find(Boolean);
  if (!/^\d+\.\d+\.\d+$/.test(version) || !os || !cpu) throw new Error(`Is ${name}@${range} for a platform?`);
  return {
    version,
    cpu: [cpu],
    ...(dev && { dev }),
    ...(os === 'linux' && libc && { libc: [libc] }),
    optional: true,
    os: [os],
  };
}
