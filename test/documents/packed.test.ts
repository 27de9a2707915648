import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from '../helpers/built';
import { read, root } from './blocks';

/*
 * @tier all
 *
 * The table in docs/internals/performance.md of what the packed package holds. UPDATE_PACKED_DOCS=1 writes it anew:
 *
 *   UPDATE_PACKED_DOCS=1 npx jest test/documents/packed.test.ts
 */

const document = 'docs/internals/performance.md';
const section = /(<!-- packed -->\n)([^]*?)(<!-- \/packed -->)/;

/** What is in the package: the first room whose pattern a file matches has the file. */
const rooms = [
  {
    name: 'The main entry',
    files: /^dist\/(index\.m?js|chunks\/(main|shared)\.js)$/,
    why: 'What an application loads when it starts',
  },
  {
    name: 'OAuth libraries',
    files: /^dist\/chunks\/(oauth4webapi|jose)\d*\.js$/,
    why: 'oauth4webapi and jose, unchanged. Loaded at the first login or refresh',
  },
  {
    name: 'Emulator',
    files: /^dist\/(emulator\.m?js|chunks\/emulator\.js)$/,
    why: 'The offline Salesforce, for tests and development. Loaded by its own entry and command only',
  },
  {
    name: 'Doctor and command line',
    files: /^dist\/(cli|chunks\/(examination|findings))\.js$/,
    why: 'Loaded by `diagnose()` and by the command',
  },
  {
    name: 'Tests for stores',
    files: /^dist\/stores\/contract\.m?js$/,
    why: 'The contract that the author of a store runs. Loaded by its own entry only',
  },
  {
    name: 'Stores',
    files: /^(dist\/stores|lib\/stores\/postgres\.sql)/,
    why: 'Redis, PostgreSQL and SQLite, each an entry of its own, with scripts and SQL',
  },
  {
    name: 'What is loaded later',
    files: /^dist\/(?!types\/)/,
    why: 'Logins, refreshes, the strategy, app tokens and the like, each loaded at its first use',
  },
  { name: 'Types', files: /^dist\/types\//, why: 'Declarations with comments, for the compiler and the editor' },
  { name: 'Pictures', files: /\.(png|svg)$/, why: 'In the documents' },
  { name: 'Documents', files: /\.(md|txt)$|^LICENSE$/, why: 'README and guides of this very version' },
  { name: 'Manifest', files: /^package\.json$/, why: '' },
] as const;

interface Packed {
  size: number;
  unpackedSize: number;
  files: { path: string; size: number }[];
}

function pack(): Packed {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const printed = JSON.parse(execFileSync('npm', args, { cwd: join(dist, '..'), encoding: 'utf8' })) as unknown;
  // An array, or from npm 12 on an object with the package's name as key.
  const [packed] = Object.values(printed as Record<string, Packed>);
  return packed!;
}

/** Kilobytes of each room, and of the whole, by name. */
function sizesOf({ size, unpackedSize, files }: Packed): Map<string, number> {
  const sizes = new Map<string, number>(rooms.map(({ name }) => [name, 0]));
  for (const file of files) {
    const name = rooms.find((room) => room.files.test(file.path))?.name ?? file.path;
    sizes.set(name, (sizes.get(name) ?? 0) + file.size / 1000);
  }
  return sizes.set('All', unpackedSize / 1000).set('Compressed, as it is downloaded', size / 1000);
}

function tableOf(sizes: ReadonlyMap<string, number>): string {
  const whyOf = (name: string): string => rooms.find((room) => room.name === name)?.why ?? '';
  const rows = [...sizes].map(([name, size]) => `| ${name} | ${Math.round(size)} | ${whyOf(name)} |\n`);
  return `| In the package | kB | What it is for |\n| --- | ---: | --- |\n${rows.join('')}`;
}

it('the document says what the package holds, to a fifth', () => {
  const sizes = sizesOf(pack());
  if (process.env['UPDATE_PACKED_DOCS'] === '1') {
    writeFileSync(
      join(root, document),
      read(document).replace(section, (_, begin: string, __, end: string) => `${begin}\n${tableOf(sizes)}\n${end}`),
    );
  }
  const table = section.exec(read(document))?.[2] ?? '';
  const written = [...table.matchAll(/^\| ([^|]+) \| (\d+) \|/gm)].map(
    ([, name = '', size]) => [name, Number(size)] as const,
  );

  expect(written.map(([name]) => name)).toEqual([...sizes.keys()]);
  for (const [name, size] of written) {
    const actual = sizes.get(name)!;
    expect({ name, isNear: Math.abs(actual - size) <= Math.max(5, size / 5), actual }).toMatchObject({ isNear: true });
  }
});
