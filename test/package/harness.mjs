import { execFile } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';

/** Runs named checks and counts. */
export class Checks {
  passed = 0;
  failed = 0;

  async check(name, body) {
    const started = performance.now();
    try {
      await body();
      this.passed++;
      console.log(`ok      ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.failed++;
      console.log(`FAILED  ${name}\n${String(error.message).replace(/^/gm, '        ')}`);
    }
  }
}

/** What npm tells the scripts it runs would steer the npm and npx of a consumer, too. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS|INIT_CWD)/i.test(name)),
);

/** Runs a program in a folder; what it printed is in the error where it fails. */
export async function run(cwd, command, ...args) {
  try {
    return (await promisify(execFile)(command, args, { cwd, env, timeout: 300_000, maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout}${error.stderr}`, { cause: error });
  }
}
