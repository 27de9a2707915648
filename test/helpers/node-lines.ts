import { execFileSync } from 'node:child_process';

const installer = require.resolve('../../tools/servers/newest-node.mjs');

/** Paths of the Node.js that runs this test, and of the newest one, which npm brings and whose `fetch` speaks HTTP/2 by default. */
export function nodeLines(): { line: string; execPath: string }[] {
  const newest = execFileSync(process.execPath, [installer], { encoding: 'utf8' }).trim();
  return [process.execPath, newest].map((execPath) => {
    const line = execFileSync(execPath, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    return { line: line.split('.')[0]!, execPath };
  });
}
