/**
 * `node tools/release.mjs check` says whether this commit can be released: a clean tree, a tag that is the version, and an
 * entry in CHANGELOG.md that is not "unreleased".
 *
 * `node tools/release.mjs pack <folder>` checks, packs the package once, tests that very file, and leaves the file in the
 * folder. What is published is the file that was tested.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const [command, folder] = process.argv.slice(2);
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();
const run = (program, ...args) => execFileSync(program, args, { stdio: 'inherit' });

const problems = problemsOf(JSON.parse(readFileSync('package.json', 'utf8')));
if (problems.length > 0) {
  console.error(`This commit cannot be released:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
  process.exitCode = 1;
} else if (command === 'check') {
  console.log('This commit can be released.');
} else if (command === 'pack' && folder) {
  pack(resolve(folder));
} else {
  console.error('Usage: node tools/release.mjs check | pack <folder>');
  process.exitCode = 2;
}

function problemsOf({ version }) {
  const found = [];
  if (git('status', '--porcelain') !== '') found.push('The working tree has changes. Commit them.');
  if (!git('tag', '--points-at', 'HEAD').split('\n').includes(`v${version}`)) {
    found.push(`No tag v${version} points at this commit. The tag and "version" in package.json have to be the same.`);
  }
  const entry = readFileSync('CHANGELOG.md', 'utf8')
    .split('\n')
    .find((line) => line === `## ${version}` || line.startsWith(`## ${version} `));
  if (entry === undefined) found.push(`CHANGELOG.md has no entry "## ${version}".`);
  else if (/unreleased/i.test(entry)) found.push(`CHANGELOG.md still calls ${version} unreleased.`);
  return found;
}

function pack(target) {
  run(process.execPath, 'test/package/run.mjs', '--keep', target);
  const [tarball] = readdirSync(target).filter((name) => name.endsWith('.tgz'));
  console.log(join(target, tarball));
}
