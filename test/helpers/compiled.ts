import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { transformFileSync } from '@swc/core';

const root = join(__dirname, '../..');

/** `lib/` as JavaScript in a temporary folder, for programs that need its inner parts in a Node of their own. */
export function compileLibrary(): { folder: string; env: NodeJS.ProcessEnv; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'library-'));
  for (const entry of readdirSync(join(root, 'lib'), { recursive: true, withFileTypes: true })) {
    const isText = entry.name.endsWith('.lua');
    if (!isText && !entry.name.endsWith('.ts')) continue;
    const source = join(entry.parentPath, entry.name);
    // A text keeps its name, which Node takes for JavaScript.
    const target = join(folder, relative(join(root, 'lib'), source).replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(
      target,
      isText
        ? `exports.__esModule = true; exports.default = ${JSON.stringify(readFileSync(source, 'utf8'))};`
        : compile(source),
    );
  }
  return {
    folder,
    env: { PATH: process.env['PATH'], NODE_PATH: join(root, 'node_modules') },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function compile(source: string): string {
  return transformFileSync(source, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  }).code;
}
