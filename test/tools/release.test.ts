import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = join(__dirname, '../../tools/release.mjs');

describe('the check before a release', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'release-'));
    git('init', '--quiet');
    git('config', 'user.email', 'maintainer@example.com');
    git('config', 'user.name', 'Maintainer');
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ version: '1.2.3' }));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function git(...given: string[]): void {
    execFileSync('git', given, { cwd: folder });
  }

  function check({ entry, tag, change }: { entry: string; tag: string; change?: boolean }): [number | null, string] {
    writeFileSync(join(folder, 'CHANGELOG.md'), `# Changelog\n\n${entry}\n`);
    git('add', '.');
    git('commit', '--quiet', '-m', 'build: prepare the release');
    git('tag', tag);
    if (change) writeFileSync(join(folder, 'new.txt'), 'new');
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'check'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return [status, stdout + stderr];
  }

  it('lets a tagged commit with a changelog entry pass', () => {
    expect(check({ entry: '## 1.2.3', tag: 'v1.2.3' })).toEqual([0, 'This commit can be released.\n']);
  });

  it.each([
    [
      'the changelog calls the version unreleased',
      { entry: '## 1.2.3 (unreleased)', tag: 'v1.2.3' },
      'still calls 1.2.3 unreleased',
    ],
    ['the changelog has no entry of the version', { entry: '## 1.2.30', tag: 'v1.2.3' }, 'has no entry "## 1.2.3"'],
    ['the tag is of another version', { entry: '## 1.2.3', tag: 'v1.2.4' }, 'No tag v1.2.3 points at this commit'],
    ['the tree has changes', { entry: '## 1.2.3', tag: 'v1.2.3', change: true }, 'The working tree has changes'],
  ])('fails if %s', (_what, given, message) => {
    expect(check(given)).toEqual([1, expect.stringContaining(message)]);
  });
});
