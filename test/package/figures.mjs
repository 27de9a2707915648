import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './harness.mjs';

const starts = 9;

/** What the package costs to install and to load, printed and never judged: times are the machine's as well. */
export async function printFigures(folder, name, { size, unpackedSize }) {
  const installed = sizeOf(join(folder, 'node_modules', name));
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  const brought = [...closure(packages, `node_modules/${name}`)].filter((path) => path !== `node_modules/${name}`);
  const foreign = brought.reduce((sum, path) => sum + sizeOf(join(folder, path)), 0);
  console.log(
    `\nSize: ${kilobytes(size)} to download, ${kilobytes(unpackedSize)} unpacked (${kilobytes(installed)} on disk), and ` +
      `${brought.length} packages it depends on with ${kilobytes(foreign)}.`,
  );
  const load = (code) => `const start = performance.now(); ${code}; console.log(performance.now() - start)`;
  const table = {
    express: load("require('express')"),
    'this package as well': load(`require('express'); require('${name}')`),
    'and its emulator': load(`require('express'); require('${name}'); require('${name}/emulator')`),
  };
  for (const [what, code] of Object.entries(table)) {
    const times = [];
    for (let start = 0; start < starts; start++) times.push(Number(await run(folder, process.execPath, '-e', code)));
    times.sort((one, other) => one - other);
    const [least, median, most] = [0, starts >> 1, starts - 1].map((index) => times[index].toFixed(0));
    console.log(`Start-up, ${what}: ${median} ms (${least} to ${most})`);
  }
  console.log();
}

/** The packages that come with one, itself included, as paths in the lockfile. Optional peers do not come. */
function closure(packages, path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const name of Object.keys(packages[path].dependencies ?? {}))
    closure(packages, resolve(packages, path, name), found);
  return found;
}

/** Where a package finds another one: in its own folder, or in one above. */
function resolve(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder && `${folder}/`}node_modules/${name}`;
    if (path in packages || folder === '') return path;
  }
}

function sizeOf(path) {
  if (statSync(path).isFile()) return statSync(path).size;
  return readdirSync(path)
    .filter((name) => name !== 'node_modules')
    .reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

const kilobytes = (bytes) => `${(bytes / 1024).toFixed(0)} KB`;
