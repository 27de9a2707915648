/**
 * Bundles an application with the bundlers that people deploy servers with, without jsforce, and runs the bundle where no
 * package is installed.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import webpack from 'webpack';

const entry = join(import.meta.dirname, 'require.cjs');
const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
try {
  await build({ entryPoints: [entry], bundle: true, platform: 'node', logLevel: 'error', outfile: join(folder, 'esbuild.cjs') });
  await pack({
    mode: 'production',
    target: 'node',
    entry,
    output: { path: folder, filename: 'webpack.cjs' },
    optimization: { minimize: false },
  });
  for (const bundle of ['esbuild.cjs', 'webpack.cjs']) execFileSync(process.execPath, [bundle], { cwd: folder, stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true });
}

async function pack(configuration) {
  const stats = await new Promise((resolve, reject) => {
    webpack(configuration, (error, result) => (error ? reject(error) : resolve(result)));
  });
  assert.deepEqual(
    stats.toJson({ all: false, errors: true }).errors.map(({ message }) => message),
    [],
  );
}
