/** `npm run clients`: installs real clients of Salesforce from npm and runs their tests; `--write` writes the table of docs/reference/clients.md. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { requireProgram } from './servers/programs.mjs';

const require = createRequire(import.meta.url);
const { installAll } = require('../test/clients/installed.cjs');
const page = 'docs/reference/clients.md';
const results = 'coverage/clients.json';

const args = process.argv.slice(2).filter((arg) => arg !== '--write');
const isWriting = process.argv.includes('--write');
const env = {
  ...process.env,
  CHROMIUM_PATH: requireProgram('Chromium'),
  ...(isWriting ? { WRITE_TRANSCRIPT: '1' } : {}),
};
installAll();
mkdirSync('coverage', { recursive: true });
const jest = spawnSync(
  process.execPath,
  [
    require.resolve('jest/bin/jest'),
    '-c',
    'test/clients/jest.config.cjs',
    '-w',
    '1',
    '--json',
    '--outputFile',
    results,
    ...args,
  ],
  { stdio: ['ignore', 'ignore', 'inherit'], env },
);
process.exitCode = jest.status ?? 1;
if (args.length === 0 && process.exitCode === 0) compareTable();

/** The table has a row for each client, with what its tests have seen it do. */
function compareTable() {
  const { testResults } = JSON.parse(readFileSync(results, 'utf8'));
  /** @type {Map<string, string[]>} */
  const seen = new Map();
  for (const { ancestorTitles, title } of testResults.flatMap(({ assertionResults }) => assertionResults)) {
    const [client] = ancestorTitles;
    if (client !== page) seen.set(client, [...(seen.get(client) ?? []), title]);
  }
  const rows = [...seen]
    .map(([client, titles]) => `| ${client} | ${titles.join('; ')} |`)
    .sort((one, other) => one.localeCompare(other, 'en'));
  const table = ['| Client | What its tests have it do |', '| --- | --- |', ...rows].join('\n');
  const before = readFileSync(page, 'utf8');
  const after = before.replace(
    /(<!-- clients -->\n)[^]*?(\n<!-- end of clients -->)/,
    (_whole, start, end) => `${start}\n${table}\n${end}`,
  );
  if (after === before) return;
  if (isWriting) writeFileSync(page, after);
  else {
    console.error(`${page} has another table than these tests make. Run "npm run clients -- --write".`);
    process.exitCode = 1;
  }
}
