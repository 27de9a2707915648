import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import '../helpers/built';

describe('logout', () => {
  it('says nothing on the console however many tokens wait for Salesforce to revoke them', async () => {
    // A process of its own: jest keeps the warnings of Node away from its tests.
    const program = join(__dirname, 'programs/many-logouts.mjs');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program]);

    expect(stdout).toBe('logged out: 204\n'.repeat(12));
    expect(stderr).toBe('');
  });
});
