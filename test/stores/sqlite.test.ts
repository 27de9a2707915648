/** @again newest-node */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SalesforceOptionError } from '../../lib/errors';
import { describeTokenStore } from '../../lib/stores/contract';
import { SqliteTokenStore } from '../../lib/stores/sqlite';
import { ManualClock } from '../helpers/clock';
import { describeWithOwnSqlite } from '../helpers/programs';
import '../helpers/built';
import { claim, login } from './grants';

const { getBuiltinModule } = process as { getBuiltinModule?: (name: string) => unknown };
const sqlite = getBuiltinModule?.call(process, 'node:sqlite') as
  { DatabaseSync: new (file: string) => { exec(sql: string): void; close(): void } } | undefined;

const commit = { generation: 'first', version: 1, payload: 'new tokens', softMs: null, hardMs: null };
const folder = mkdtempSync(join(tmpdir(), 'sqlite-store-'));
let files = 0;
const newFile = (): string => join(folder, `${String(++files)}.db`);

afterAll(() => {
  rmSync(folder, { recursive: true });
});

if (!sqlite) {
  describe('SqliteTokenStore on a Node.js without SQLite', () => {
    it('says which Node.js has it, which this is, and what to use instead', () => {
      const make = (): unknown => new SqliteTokenStore({ file: newFile() });

      expect(make).toThrow(SalesforceOptionError);
      expect(make).toThrow(/Node\.js 22\.13 or later.* this is Node\.js \d+\.\d+\.\d+\. Use MemoryTokenStore/);
    });
  });
} else {
  describeTokenStore(
    'SqliteTokenStore',
    () => {
      const clock = new ManualClock();
      const file = newFile();
      const store = new SqliteTokenStore({ file, clock, maxHolders: 101 });
      const beside = new sqlite.DatabaseSync(file);
      return {
        store,
        elapse: (ms) => clock.advanceMs(ms),
        setSchema: (grantId, schema) =>
          beside.exec(`update salesforce_grants set schema_version = ${schema} where grant_id = '${grantId}'`),
        close: () => {
          beside.close();
          store.close();
        },
      };
    },
    { maxHolders: 101 },
  );
}

describe('a mistake in the options of a SQLite store', () => {
  it.each([
    [{ fiel: 'a.db' }, "Did you mean 'file'?"],
    [{}, 'SqliteTokenStore.file must be the path of a file'],
    [{ file: ':memory:' }, 'for memory use MemoryTokenStore'],
    [{ file: 'file:a.db?mode=memory' }, 'the path of a file'],
    [{ file: 5 }, 'the path of a file'],
    [{ file: 'a.db', maxHolders: 0 }, 'from 1 to 10000'],
    [{ file: 'a.db', retentionMs: 5 }, 'SqliteTokenStore.retentionMs'],
  ])('is told: %j', (options, message) => {
    expect(() => new SqliteTokenStore(options as never)).toThrow(message);
  });
});

describeWithOwnSqlite('a SQLite file', () => {
  it('keeps grants over a restart, and no other user may read it', async () => {
    const file = newFile();
    const before = new SqliteTokenStore({ file });
    await before.put('grant', login);
    await before.claim('grant', claim);
    await before.commit('grant', commit);
    before.close();
    before.close();
    await expect(before.read('grant')).rejects.toThrow('not open');

    const after = new SqliteTokenStore({ file });

    expect(await after.read('grant')).toMatchObject({ version: 2, payload: 'new tokens', state: 'idle' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await after.diagnose()).toEqual([expect.objectContaining({ level: 'ok' })]);
    after.close();
  });

  it('leaves a grant in doubt whose process was killed in mid-refresh', async () => {
    const file = newFile();
    const clock = new ManualClock();
    const killed = new SqliteTokenStore({ file, clock });
    await killed.put('grant', login);
    await killed.claim('grant', claim);

    const other = new SqliteTokenStore({ file, clock });
    expect(await other.claim('grant', { ...claim, owner: 'other' })).toMatchObject({ outcome: 'busy' });
    clock.advanceMs(claim.leaseMs);

    expect(await other.claim('grant', { ...claim, owner: 'other' })).toMatchObject({ outcome: 'resolve' });
    killed.close();
    other.close();
  });

  it('is shared by processes: each version is claimed and committed by one of them', async () => {
    const file = newFile();
    const store = new SqliteTokenStore({ file });
    await store.put('grant', login);
    const run = promisify(execFile);

    const outputs = await Promise.all(
      Array.from({ length: 4 }, () =>
        run(process.execPath, [join(__dirname, 'programs/sqlite-worker.mjs'), file, 'grant', '100']),
      ),
    );

    const committed = outputs.flatMap(({ stdout }) => JSON.parse(stdout) as number[]);
    expect(committed.sort((one, other) => one - other)).toEqual(Array.from({ length: 99 }, (_, index) => index + 1));
    expect(await store.read('grant')).toMatchObject({ version: 100, state: 'idle' });
    store.close();
  });

  it('that another process locks is waited for, and an error after that changes nothing', async () => {
    const file = newFile();
    const store = new SqliteTokenStore({ file });
    await store.put('grant', login);
    const other = new sqlite!.DatabaseSync(file);
    other.exec('begin immediate');

    await expect(store.claim('grant', claim)).rejects.toThrow('locked');

    other.exec('rollback');
    expect(await store.claim('grant', claim)).toMatchObject({ outcome: 'claimed' });
    other.close();
    store.close();
  });

  it('that another process locks holds up nothing else in this process, and no read', async () => {
    const file = newFile();
    const store = new SqliteTokenStore({ file });
    await store.put('grant', login);
    const other = new sqlite!.DatabaseSync(file);
    other.exec('begin immediate');
    const settled: string[] = [];
    const claims = Promise.all(
      ['first', 'second'].map(async (owner) => {
        const { outcome } = await store.claim('grant', { ...claim, owner });
        settled.push(`${owner} ${outcome}`);
      }),
    );

    await new Promise((resolve) => setTimeout(resolve, 1)).then(() => settled.push('a timer'));
    expect(await store.read('grant')).toMatchObject({ version: 1, state: 'idle' });
    settled.push('a read');
    const started = new SqliteTokenStore({ file });
    expect(await started.read('grant')).toMatchObject({ version: 1 });
    started.close();
    settled.push('a process that starts');
    other.exec('rollback');
    await claims;

    expect(settled).toEqual(['a timer', 'a read', 'a process that starts', 'first claimed', 'second busy']);
    other.close();
    store.close();
  });

  it('that is closed refuses what waits for the lock of another process', async () => {
    const file = newFile();
    const store = new SqliteTokenStore({ file });
    await store.put('grant', login);
    const other = new sqlite!.DatabaseSync(file);
    other.exec('begin immediate');
    const waiting = store.claim('grant', claim);
    await store.read('grant');

    store.close();

    await expect(waiting).rejects.toThrow('not open');
    other.exec('rollback');
    other.close();
  });

  it('forgets what is over with later writes', async () => {
    const clock = new ManualClock();
    const store = new SqliteTokenStore({ file: newFile(), clock, retentionMs: 60_000 });
    await store.put('old', { ...login, holderMs: 1_000 });
    clock.advanceMs(61_000);
    await store.put('new', login);

    const listed: string[] = [];
    for await (const { grantId } of store.list()) listed.push(grantId);
    expect(listed).toEqual(['new']);
    store.close();
  });
});
