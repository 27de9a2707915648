import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';

/** Builds dist/ for the tests of the example and of the command line. */
export async function build() {
  if (!isStale()) return;
  const child = spawn(process.execPath, ['tools/build.mjs'], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error('The build failed, so all tests that need the build fail.');
}

function isStale() {
  if (!existsSync('dist/types')) return true;
  const built = statSync('dist/types').mtimeMs;
  return ['lib', 'tools/build']
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((file) => `${folder}/${file}`))
    .concat('package.json')
    .some((file) => statSync(file).mtimeMs > built);
}
