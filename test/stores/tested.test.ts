import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const guide = readFileSync(join(root, 'docs/guide/stores.md'), 'utf8');
const [, section = ''] = /^## What is tested$([^]*?)^## /m.exec(guide) ?? [];

/** Whether a file runs the contract itself. */
function runsContract(file: string): boolean {
  return /^\s*describe(Redis)?TokenStore\(/m.test(readFileSync(join(root, file), 'utf8'));
}

describe('the table of what is tested, in the guide on stores', () => {
  it('names each file that runs the contract on a store, and no other', () => {
    const named = [...section.matchAll(/`(test\/stores\/[\w./-]+)`/g)].map(([, file]) => file!);
    const files = readdirSync(__dirname)
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `test/stores/${name}`);

    expect([...new Set(named)].sort()).toEqual(files.filter(runsContract).sort());
  });

  it('names each major of a client library with which the package test runs the contract', () => {
    const source = readFileSync(join(root, 'test/package/store-clients.mjs'), 'utf8');
    const versions = [...source.matchAll(/: '(redis|ioredis|pg)@([\d.]+)'/g)].map(([, ...version]) =>
      version.join(' '),
    );
    const rows = section.split('\n').filter((line) => line.includes('test/package/store-clients.mjs'));
    const listed = rows.flatMap((row) =>
      [...(row.split('|')[2] ?? '').matchAll(/(redis|ioredis|pg) ([\d., ]+)/g)].flatMap(([, library, all]) =>
        (all ?? '')
          .split(',')
          .map((version) => version.trim().replace(/^4\.7$/, '4'))
          .filter(Boolean)
          .map((version) => `${library} ${version}`),
      ),
    );

    expect(versions.length).toBeGreaterThan(5);
    expect(listed.sort()).toEqual(versions.sort());
  });
});
