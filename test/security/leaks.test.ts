import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Results {
  testResults: { assertionResults: { title: string; status: string; failureMessages: string[] }[] }[];
}

describe('the search for secrets', () => {
  it('finds every planted leak, does not repeat the secret, and finds nothing without a leak', () => {
    const folder = mkdtempSync(join(tmpdir(), 'express-salesforce-auth-'));
    const outputFile = join(folder, 'results.json');
    const root = join(__dirname, '../..');
    const jest = [
      require.resolve('jest/bin/jest'),
      '--testMatch',
      join(root, 'test/security/planted/planted.ts'),
      '--silent',
    ];
    spawnSync(process.execPath, [...jest, '--json', '--outputFile', outputFile], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, DEBUG: '' },
    });
    const results = JSON.parse(readFileSync(outputFile, 'utf8')) as Results;
    rmSync(folder, { recursive: true });
    const tests = results.testResults.flatMap(({ assertionResults }) => assertionResults);

    expect(tests.filter(({ status }) => status === 'passed').map(({ title }) => title)).toEqual(['plants nothing']);
    const failed = tests.filter(({ status }) => status === 'failed');
    expect(failed).toHaveLength(6);
    for (const { failureMessages } of failed) {
      expect(failureMessages.join('\n')).toContain('Secrets were shown');
      expect(failureMessages.join('\n')).not.toMatch(/00D\w{12}!AQ\.\w{20,}/);
    }
  }, 120_000);
});
