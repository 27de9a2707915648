import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { meanings } from '../lib/salesforce-errors/meanings';
import manifest from '../package.json';

const root = join(__dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const filesIn = (folder: string, suffix: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(suffix))
    .map((path) => `${folder}/${path}`);

const lib = filesIn('lib', '.ts').map((path) => ({ path, code: withoutComments(read(path)) }));
const outside = (...folders: string[]): typeof lib =>
  lib.filter(({ path }) => !folders.some((folder) => path.startsWith(folder)));
const matching = (files: typeof lib, pattern: RegExp): string[] =>
  files.filter(({ code }) => pattern.test(code)).map(({ path }) => path);

/** Good enough for this code base: no string of ours has a comment's opening at the start of a line or after a blank. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

describe('lib', () => {
  it('takes the time from lib/clock.ts alone', () => {
    const time = /\bDate\.now\b|\bnew Date\(\)|\bperformance\b|\bset(Timeout|Interval|Immediate)\b/;

    expect(matching(outside('lib/clock.ts', 'lib/emulator/'), time)).toEqual([]);
  });

  it('prints nothing, except from the command line and the reporter of warnings', () => {
    expect(matching(outside('lib/cli', 'lib/reporter.ts'), /\bconsole\.|\bprocess\.std(out|err)\b/)).toEqual([]);
  });

  it('reads no environment variables but those it is handed', () => {
    expect(matching(outside('lib/cli'), /\bprocess\.env\b/)).toEqual([]);
  });

  it('has no file of more than 250 lines of code', () => {
    const long = lib.filter(({ code }) => code.split('\n').filter((line) => line.trim() !== '').length > 250);

    expect(long.map(({ path }) => path)).toEqual([]);
  });
});

describe('tests', () => {
  it('are all run', () => {
    const left = /\b(it|test|describe)(\.\w+)*\.(only|skip|todo)\b|\b([xf](it|describe)|xtest)\(/;
    const files = filesIn('test', '.test.ts').filter((path) => left.test(withoutComments(read(path))));

    expect(files).toEqual([]);
  });
});

describe('error codes', () => {
  const codes = [...read('lib/error-codes.ts').matchAll(/'(ERR_\w+)'/g)].map(([, code]) => code!);

  it('are all in use', () => {
    const used = outside('lib/error-codes.ts')
      .map(({ code }) => code)
      .join('\n');

    expect(codes.length).toBeGreaterThan(0);
    expect(codes.filter((code) => !used.includes(`'${code}'`))).toEqual([]);
  });

  it('are each provoked by a test: by name, or as an meaning of the catalogue, every entry of which is provoked', () => {
    const tests = ['.ts', '.cjs', '.mjs'].flatMap((suffix) => filesIn('test', suffix)).map((path) => read(path));
    const caught = new Set<string>(Object.values(meanings).map(({ code }) => code));
    const named = (code: string): boolean => tests.some((text) => text.includes(`'${code}'`));

    expect(codes.filter((code) => !caught.has(code) && !named(code))).toEqual([]);
  });

  it('each have a heading in docs/reference/errors.md, and no heading is without a code', () => {
    const headings = [...read('docs/reference/errors.md').matchAll(/^### `?(ERR_\w+)`?$/gm)].map(([, code]) => code!);

    expect(headings.sort()).toEqual(codes.sort());
  });
});

describe('package.json', () => {
  it('promises the oldest Node the package is checked with', () => {
    expect(manifest.engines.node).toBe('>=20.19.0');
    expect(read('test/package/run.mjs')).toContain("'20.19.0'");
  });

  it('brings along nothing that runs at installation, or whose license asks for more than to be named', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };
    const brought = Object.entries(packages).filter(
      ([path, { dev, devOptional, optional, peer }]) => path !== '' && !dev && !devOptional && !optional && !peer,
    );

    expect(brought.length).toBeGreaterThan(5);
    expect(brought.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([]);
    const licenses = brought.map(([path]) => [path, licenseOf(path)]);
    expect(
      licenses.filter(([, license]) => !['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause'].includes(license!)),
    ).toEqual([]);
  });

  it('has a lockfile that names no registry', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"');
  });

  it('has a lockfile that npm ci takes on every platform', () => {
    const check = (): unknown =>
      execFileSync(process.execPath, ['tools/lockfile.mjs', '--check'], { cwd: root, stdio: 'pipe' });

    expect(check).not.toThrow();
  });
});

interface LockedPackage {
  dev?: boolean;
  devOptional?: boolean;
  optional?: boolean;
  peer?: boolean;
  hasInstallScript?: boolean;
}

/** As the package says it, in the way of today or of long ago, or in its readme. */
function licenseOf(folder: string): string {
  const { license, licenses } = JSON.parse(read(`${folder}/package.json`)) as {
    license?: string;
    licenses?: { type: string }[];
  };
  const readme = readdirSync(join(root, folder)).find((file) => /^readme/i.test(file));
  return (
    license ??
    licenses?.[0]?.type ??
    /\(?(The MIT License|MIT)\)?/.exec(readme ? read(`${folder}/${readme}`) : '')?.[0].replace(/.*MIT.*/, 'MIT') ??
    'none'
  );
}
