/**
 * `npm run test:package`: packs the package as it would be published, installs it where nothing else of this repository
 * is, and uses it there in every way that is promised.
 */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { parseArgs } from 'node:util';
import { printFigures } from './figures.mjs';
import { Checks, run } from './harness.mjs';
import { checkStoreClients } from './store-clients.mjs';

const root = join(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const subpaths = Object.keys(manifest.exports)
  .filter((subpath) => typeof manifest.exports[subpath] === 'object')
  .map((subpath) => join(manifest.name, subpath));
const { values, positionals } = parseArgs({ options: { keep: { type: 'string' } }, allowPositionals: true });
const [outputFile] = positionals;
/** Folder for the tarball that has passed, so that a release publishes the file that was tested. */
const { keep } = values;
const checks = new Checks();
const temporary = mkdtempSync(join(tmpdir(), 'package-'));

try {
  await run(root, 'npm', 'run', 'build');
  // Without prepack, which is the same build and prints among the JSON.
  const packed = await run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', temporary);
  // An array, or from npm 12 on an object with the package's name as key.
  const [{ filename, files, ...sizes }] = JSON.parse(packed);
  const tarball = join(temporary, filename);
  await checks.check('the tarball has the expected files and no others', () => checkFiles(files));
  await checks.check('no link in the documents of the tarball is dead', () => checkLinks(files));
  await checks.check('nothing runs at installation', checkScripts);
  // Side by side: most of it is waiting for the registry.
  await Promise.all([
    ...[4, 5].map((major) => checkConsumer(major, tarball)),
    checkOldPeers(tarball),
    checkStoreClients(checks, { folder: join(temporary, 'store-clients'), tarball }),
  ]);
  // When nothing else runs.
  await printFigures(join(temporary, 'express-5'), manifest.name, sizes).catch((error) => console.error(error));
  if (keep !== undefined && checks.failed === 0) {
    mkdirSync(keep, { recursive: true });
    copyFileSync(tarball, join(keep, filename));
  }
} finally {
  rmSync(temporary, { recursive: true });
}
if (outputFile) writeFileSync(outputFile, JSON.stringify({ passed: checks.passed, failed: checks.failed }));
console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exitCode = checks.failed === 0 ? 0 : 1;

function checkFiles(files) {
  const actual = files
    .map(({ path }) => path)
    .filter((path) => !/^dist\/(types\/)?chunks\/[\w-]+\.(d\.ts|js)$/.test(path) && !/^docs\/.*\.(md|svg)$/.test(path));
  const entries = Object.values(manifest.exports).filter((target) => typeof target === 'object');
  const expected = [
    ...['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'],
    ...['THIRD-PARTY-LICENSES.md', 'docs/images/dashboard-desktop.png', 'llms.txt', 'package.json'],
    ...entries.flatMap((entry) => [entry.import, entry.require].flatMap(Object.values)),
    ...Object.values(manifest.exports).filter((target) => /\.sql$/.test(target)),
    ...Object.values(manifest.bin),
  ].map((path) => path.replace(/^\.\//, ''));
  assert.deepEqual(actual.sort(), expected.sort());
}

/** A reader of the documents in node_modules has no other file of the repository. */
function checkLinks(files) {
  const packed = new Set(files.map(({ path }) => path));
  const documents = [...packed].filter((path) => /\.(md|txt)$/.test(path));
  const dead = documents.flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8').replace(/^```[^]*?^```/gm, '');
    return [...text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)]
      .map(([, target]) => target)
      .filter((target) => !packed.has(posix.join(posix.dirname(path), target)))
      .map((target) => `${path}: ${target}`);
  });
  assert.ok(documents.length > 20);
  assert.deepEqual(dead, []);
}

function checkScripts() {
  const atInstallation = ['preinstall', 'install', 'postinstall', 'prepare'];
  assert.deepEqual(
    Object.keys(manifest.scripts).filter((name) => atInstallation.includes(name)),
    [],
  );
}

/** One application's folder, with the versions this repository develops with, except for Express and its types. */
async function checkConsumer(major, tarball) {
  const folder = join(temporary, `express-${major}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  cpSync(join(import.meta.dirname, 'consumers'), folder, { recursive: true });
  const check = (name, body) => checks.check(`Express ${major}: ${name}`, body);
  const node = (...args) => run(folder, process.execPath, ...args);

  await check('it installs, without the packages that are built in', async () => {
    const install = ['install', '--no-audit', '--no-fund', '--loglevel=error', tarball];
    const same = ['express-session', 'jest', 'typescript', '@types/node'].map(sameVersion);
    await run(folder, 'npm', ...install, `express@${major}`, `@types/express@${major}`, ...same);
    const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
    const unwanted = ['oauth4webapi', 'jose', 'jsforce', 'redis', 'ioredis', 'pg'].filter(
      (name) => `node_modules/${name}` in packages,
    );
    assert.deepEqual(unwanted, []);
  });
  await check('a login by require', () => node('require.cjs'));
  await check('a login by import', () => node('import.mjs'));
  await check('import and require give the same module', () => node('same-module.mjs', ...subpaths));
  await check("a login in a consumer's jest, with no flag and no configuration", () => run(folder, 'npx', 'jest'));
  await checkTypes(folder, check);
  if (major === 4) return;

  await check('the program runs by npx', async () => {
    assert.match(await run(folder, 'npx', manifest.name, '--help'), /emulator/);
    assert.equal((await run(folder, 'npx', manifest.name, '--version')).trim(), manifest.version);
  });
  for (const version of ['20.19.0', '22', '24', '26']) {
    const other = (...args) => run(folder, 'npx', '--yes', '--package', `node@${version}`, 'node', ...args);
    await check(`Node ${version}: logins by require and by import`, async () => {
      assert.ok((await other('--version')).startsWith(`v${version}`));
      await other('require.cjs');
      await other('import.mjs');
      await other('same-module.mjs', ...subpaths);
    });
    await check(`Node ${version}: the store in a file, or what to use instead`, () => other('sqlite.mjs'));
  }
  await check('a login in the bundles of esbuild and webpack, without jsforce', async () => {
    await run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', 'esbuild@0.28', 'webpack@5');
    await node('bundle.mjs');
  });
  await check('with jsforce: logins by require, by import and in jest, and its types', async () => {
    await run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', sameVersion('jsforce'));
    await node('require.cjs');
    await node('import.mjs');
    await run(folder, 'npx', 'jest');
    // jsforce's own declarations are not ours to check.
    const options = ['--module', 'nodenext', '--strict', '--noEmit', '--skipLibCheck', '--ignoreConfig'];
    await run(folder, 'npx', 'tsc', ...options, 'jsforce.ts');
  });
}

/** npm refuses to install beside a peer of another major than the ones named, also for those who do not use that peer. */
async function checkOldPeers(tarball) {
  const folder = join(temporary, 'old-peers');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  cpSync(join(import.meta.dirname, 'consumers'), folder, { recursive: true });
  const install = (...packages) =>
    run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', ...packages);
  await checks.check('it installs beside older majors of its peers', () =>
    install(tarball, 'express@5', 'express-session', 'redis@4', 'ioredis@4', 'pg@7', 'jsforce@1'),
  );
  await checks.check('it works with older majors of its peers, or says which one to install', async () => {
    await install('redis4@npm:redis@4', 'ioredis4@npm:ioredis@4', 'redis3@npm:redis@3');
    await run(folder, process.execPath, 'old-peers.cjs');
  });
}

/** Compiles the same file in each module system, with every declaration checked, and runs what comes out in Node. */
async function checkTypes(folder, check) {
  const kinds = [
    { name: 'ESM, nodenext', type: 'module', module: 'nodenext' },
    { name: 'CommonJS, nodenext', type: 'commonjs', module: 'nodenext' },
    { name: 'ESM, bundler', type: 'module', module: 'esnext', moduleResolution: 'bundler' },
    // The default of older projects. It knows no `exports`.
    {
      name: 'CommonJS, node10',
      type: 'commonjs',
      module: 'commonjs',
      moduleResolution: 'node10',
      ignoreDeprecations: '6.0',
    },
  ];
  for (const { name, type, ...compilerOptions } of kinds) {
    const source = join(folder, name.replace(/\W+/g, '-'));
    await check(`TypeScript, ${name}`, async () => {
      mkdirSync(source);
      cpSync(join(folder, 'typed.ts'), join(source, 'typed.ts'));
      writeFileSync(join(source, 'subpaths.ts'), subpaths.map((subpath) => `import '${subpath}';\n`).join(''));
      writeFileSync(join(source, 'package.json'), JSON.stringify({ type }));
      const common = { target: 'es2022', strict: true, declaration: true, skipLibCheck: false, types: [] };
      const options = { ...common, ...compilerOptions };
      writeFileSync(join(source, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
      await run(source, 'npx', 'tsc');
      await run(source, process.execPath, 'typed.js');
      await run(source, process.execPath, 'subpaths.js');
    });
  }
}

function sameVersion(name) {
  return `${name}@${manifest.devDependencies[name]}`;
}
