'use strict';
/** Reads the marks of a test file, and the servers and programs it needs, from the file and its imports. */
const { existsSync, readFileSync, statSync } = require('node:fs');
const { dirname, join, relative, resolve } = require('node:path');

const root = resolve(__dirname, '../..');

/** Modules that need a server or a build. */
const providers = {
  'test/stores/servers/redis.ts': 'Redis',
  'test/stores/servers/valkey.ts': 'Valkey',
  'test/stores/servers/postgres.ts': 'PostgreSQL',
  'test/stores/servers/pgbouncer.ts': 'PgBouncer',
  'test/browser/nginx.ts': 'nginx',
  'test/helpers/nginx.ts': 'nginx',
  'test/crash/sqlite.ts': 'SQLite',
  'test/helpers/built.ts': 'build',
  'playwright-core': 'Chromium',
};
/** Modules that make a test more than a unit test: they open a port or start a process. */
const serving = ['lib/emulator/', 'supertest', 'node:http', 'node:net', 'node:child_process'];

/**
 * @param {string} file absolute path of a test file
 * @returns {{ tier: string, again: string[], needs: string[], isUnit: boolean }}
 */
exports.describeFile = (file) => {
  const marks = markOf(file);
  const reached = reach(file);
  const needs = Object.keys(providers)
    .filter((module) => reached.has(module))
    .map((module) => providers[module]);
  const serves = [...reached].some((module) => serving.some((name) => module.startsWith(name)));
  return { ...marks, needs, isUnit: marks.tier === 'quick' && needs.length === 0 && !serves };
};

/** A comment with `@tier all` and `@again <pass> …` in its first lines marks a file. */
function markOf(file) {
  const [, comment = ''] = /^\/\*\*([^]*?)\*\//.exec(readFileSync(file, 'utf8')) ?? [];
  const valueOf = (name) => new RegExp(`@${name} (.+)`).exec(comment)?.[1]?.replace('*/', '').trim();
  return { tier: valueOf('tier') ?? 'quick', again: valueOf('again')?.split(/[\s,]+/) ?? [] };
}

/** All imports of a file, followed through files of test/ only. */
function reach(file, reached = new Set()) {
  for (const specifier of importsOf(file)) {
    const found = specifier.startsWith('.') ? fileOf(resolve(dirname(file), specifier)) : undefined;
    const name = found ? relative(root, found) : specifier;
    if (reached.has(name)) continue;
    reached.add(name);
    if (found && name.startsWith('test/')) reach(found, reached);
  }
  return reached;
}

const known = new Map();

function importsOf(file) {
  const { mtimeMs } = statSync(file);
  const last = known.get(file);
  if (last?.mtimeMs === mtimeMs) return last.imports;
  const source = readFileSync(file, 'utf8').replace(/^(import|export) type [^;]*;/gm, '');
  const imports = [...source.matchAll(/(?:\bfrom|\bimport|\brequire(?:\.resolve)?)\b\s*\(?\s*'([^'\n]+)'/g)];
  known.set(file, { mtimeMs, imports: imports.map(([, specifier]) => specifier) });
  return known.get(file).imports;
}

function fileOf(path) {
  const isFile = (candidate) => existsSync(candidate) && statSync(candidate).isFile();
  return [path, `${path}.ts`, join(path, 'index.ts')].find(isFile);
}
