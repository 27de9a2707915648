/**
 * `npm run bench -- [parts] [--quick] [--keep] [--no-build]`: installs what is compared, builds, measures, prints. A full run
 * writes bench/results/ and the tables and plots of docs/; a quick one does so with `--keep`.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { fromRoot } from './lib/paths.mjs';

const names = ['hot-path', 'herd', 'login', 'scale', 'outage', 'simulation', 'start-up'];
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    build: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) throw new Error(`There is no part ${unknown.join(', ')}. There are ${names.join(', ')}.`);
const chosen = positionals.length > 0 ? positionals : names;

install();
if (options.build) execFileSync(process.execPath, ['tools/build.mjs'], { cwd: fromRoot('.'), stdio: 'inherit' });

const { startProcess } = await import('./lib/process.mjs');
const { startPostgres, startRedis } = await import('./lib/servers.mjs');
const { writePlots, writeSections } = await import('./lib/report.mjs');
const { quick } = options;
const isKept = !quick || options.keep;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const servers = {};
let emulator;
try {
  emulator = await startProcess(fromRoot('bench/lib/emulator-process.mjs'));
  servers.redis = await startRedis();
  servers.postgres = await startPostgres();
  for (const name of chosen) {
    const { measure } = await import(`./parts/${name}.mjs`);
    const startedAt = performance.now();
    console.log(`\n${name}${quick ? ', quick' : ''}`);
    const result = await measure({ quick, emulator, servers, log: console.log });
    const { report } = await import(`./reports/${name}.mjs`);
    const { text, plots = {}, sections = {} } = report(result);
    console.log(`\n${text}\n\n${name} took ${Math.round((performance.now() - startedAt) / 1000)} s.`);
    if (!isKept) continue;
    const machine = `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
    const about = { node: process.version, machine, quick, versions: versions() };
    for (const folder of ['bench/results', 'docs/internals/performance'])
      mkdirSync(fromRoot(folder), { recursive: true });
    writeFileSync(fromRoot(`bench/results/${name}.json`), `${JSON.stringify({ ...about, result }, null, 1)}\n`);
    const source = `_${quick ? 'A quick run' : 'A full run'} on Node ${process.version}, ${machine}; raw: \`bench/results/${name}.json\`._`;
    writeSections({ [name]: `${text}\n\n${source}`, ...sections });
    writePlots(plots);
  }
} finally {
  await Promise.all([emulator, servers.redis, servers.postgres].map((each) => each?.stop()));
}

/** Installs the compared packages in bench/, outside of the package's own installation. */
function install() {
  const [installed, wanted] = ['bench/node_modules/.installed-lock.json', 'bench/package-lock.json'].map(fromRoot);
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(wanted, 'utf8')) return;
  console.log('Installing what is compared…');
  const args = ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  execFileSync('npm', args, { cwd: fromRoot('bench'), stdio: ['ignore', 'ignore', 'inherit'] });
  copyFileSync(wanted, installed);
}

function versions() {
  return JSON.parse(readFileSync(fromRoot('bench/package.json'), 'utf8')).dependencies;
}
