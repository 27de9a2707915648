/** Keeps a grant in a file with the SQLite of Node.js, and reads it after a restart; an older Node.js is told what to use. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteTokenStore } from 'express-salesforce-auth/stores/sqlite';

const required = createRequire(import.meta.url)('express-salesforce-auth/stores/sqlite');
assert.equal(required.SqliteTokenStore, SqliteTokenStore);
const folder = mkdtempSync(join(tmpdir(), 'consumer-sqlite-'));
const file = join(folder, 'tokens.db');
try {
  if (process.getBuiltinModule('node:sqlite')) {
    const write = { expected: null, generation: 'g', writer: 'w', payload: 'sealed', holder: 'h', holderMs: 60_000 };
    const labels = { organizationId: '00D', userId: '005', clientID: '3MVG9' };
    const first = new SqliteTokenStore({ file });
    assert.equal((await first.put('grant', { ...write, labels, softMs: 1, hardMs: 2 })).outcome, 'written');
    await first.close();
    const second = new SqliteTokenStore({ file });
    assert.equal((await second.read('grant')).payload, 'sealed');
    await second.close();
  } else {
    assert.throws(() => new SqliteTokenStore({ file }), { code: 'ERR_SALESFORCE_OPTION_INVALID', message: /22\.13/ });
  }
} finally {
  rmSync(folder, { recursive: true });
}
