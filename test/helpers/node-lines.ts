import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';

/** The newest line of Node.js, whose `fetch` speaks HTTP/2 by default. */
const newest = '26';

/** Paths of the Node.js that runs this test, and of the newest one, which npm brings. */
export function nodeLines(): { line: string; execPath: string }[] {
  const where = ['--yes', '--package', `node@${newest}`, 'node', '-p', 'process.execPath'];
  // Elsewhere than in this folder, whose node_modules could have a `node` of its own.
  const execPath = execFileSync('npx', where, { cwd: tmpdir(), encoding: 'utf8' }).trim();
  return [
    { line: process.versions.node.split('.')[0]!, execPath: process.execPath },
    { line: newest, execPath },
  ];
}
