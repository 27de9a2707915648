/** @again newest-node */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SalesforceOptionError } from '../../lib/errors';
import { describeTokenStore } from '../../lib/stores/contract';
import { storeFailureOf } from '../../lib/stores/failure';
import { SqliteTokenStore } from '../../lib/stores/sqlite';
import { ManualClock } from '../helpers/clock';
import { describeWithOwnSqlite } from '../helpers/programs';
import '../helpers/built';
import { claim, login, logOut } from './grants';

const { getBuiltinModule } = process as { getBuiltinModule?: (name: string) => unknown };
const sqlite = getBuiltinModule?.call(process, 'node:sqlite') as
  | {
      DatabaseSync: new (file: string) => {
        exec(sql: string): void;
        prepare(sql: string): { get(): unknown };
        close(): void;
      };
    }
  | undefined;

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
          return store.close();
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
    await Promise.all([before.close(), before.close()]);
    await expect(before.read('grant')).rejects.toThrow('not open');

    const after = new SqliteTokenStore({ file });

    expect(await after.read('grant')).toMatchObject({ version: 2, payload: 'new tokens', state: 'idle' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await after.diagnose()).toEqual([expect.objectContaining({ level: 'ok' })]);
    await after.close();
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
    await killed.close();
    await other.close();
  });

  it('locks no grant for longer if the clock of the machine is set back by a day', async () => {
    const clock = new ManualClock();
    const store = new SqliteTokenStore({ file: newFile(), clock });
    await store.put('grant', login);
    await store.claim('grant', claim);
    clock.jumpMs(-86_400_000);
    expect(await store.claim('grant', { ...claim, owner: 'other' })).toMatchObject({
      outcome: 'busy',
      record: { leaseInMs: claim.leaseMs, stateAgeMs: 0, tokensAgeMs: 0 },
    });

    const release = { ...claim, state: 'inDoubt', backoffMs: 5_000, failed: true, errorCode: 'CODE' } as const;
    expect(await store.releaseClaim('grant', release)).toBe(true);
    clock.jumpMs(-86_400_000);
    expect(await store.claim('grant', claim)).toMatchObject({ outcome: 'backoff', record: { backoffInMs: 5_000 } });
    clock.advanceMs(5_000);

    expect(await store.claim('grant', claim)).toMatchObject({
      outcome: 'resolve',
      record: { stateAgeMs: 5_000, errorAgeMs: 5_000 },
    });
    await store.close();
  });

  it('keeps no one-time claim for longer if the clock of the machine is set back by a day', async () => {
    const clock = new ManualClock();
    const store = new SqliteTokenStore({ file: newFile(), clock });
    await store.claimOnce('turn', 'one', 60_000);
    await store.resolveClaim('turn', 'one', { result: 'off', keptMs: 30_000 });
    clock.jumpMs(-86_400_000);
    const ask = (): Promise<unknown> => store.claimOnce('turn', 'other', 60_000);

    expect(await ask()).toEqual({ outcome: 'taken', result: 'off' });
    clock.advanceMs(59_999);
    expect(await ask()).toMatchObject({ outcome: 'taken' });
    clock.advanceMs(1);
    expect(await ask()).toEqual({ outcome: 'claimed' });
    await store.close();
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
    await store.close();
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
    await store.close();
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
    await started.close();
    settled.push('a process that starts');
    other.exec('rollback');
    await claims;

    expect(settled).toEqual(['a timer', 'a read', 'a process that starts', 'first claimed', 'second busy']);
    other.close();
    await store.close();
  });

  it('that is closed logs out first what was logged out before', async () => {
    const file = newFile();
    const store = new SqliteTokenStore({ file });
    await store.put('grant', login);

    const loggedOut = store.logOut('grant', logOut);
    await store.close();

    expect(await loggedOut).toMatchObject({ outcome: 'loggedOut' });
    const after = new SqliteTokenStore({ file });
    expect(await after.read('grant')).toMatchObject({ state: 'loggedOut' });
    await after.close();
  });

  it('that is closed waits for the lock of another process, with all that was called before', async () => {
    const file = newFile();
    const store = new SqliteTokenStore({ file });
    await store.put('grant', login);
    const other = new sqlite!.DatabaseSync(file);
    other.exec('begin immediate');
    const settled: string[] = [];
    const claimed = store.claim('grant', claim).then(({ outcome }) => settled.push(outcome));
    const once = store.claimOnce('key', 'owner', 60_000).then(({ outcome }) => settled.push(`key ${outcome}`));
    const read = store.read('grant').then((record) => settled.push(`read ${record!.state}`));
    const closing = store.close().then(() => settled.push('closed'));
    await read;

    other.exec('rollback');
    await Promise.all([claimed, once, closing]);

    expect(settled).toEqual(['read idle', 'claimed', 'key claimed', 'closed']);
    expect(other.prepare('select state from salesforce_grants').get()).toEqual({ state: 'presenting' });
    other.close();
  });

  it('that is closed gives up with an error if another process does not let go of the lock, and is closed then', async () => {
    const file = newFile();
    const store = new SqliteTokenStore({ file });
    await store.put('grant', login);
    const other = new sqlite!.DatabaseSync(file);
    other.exec('begin immediate');
    const waiting = expect(store.claim('grant', claim)).rejects.toThrow('locked');

    await store.close();

    await waiting;
    await expect(store.read('grant')).rejects.toThrow('is closed');
    other.exec('rollback');
    other.close();
  });

  it('that is closed refuses each operation from the call of close() on', async () => {
    const store = new SqliteTokenStore({ file: newFile() });
    await store.put('grant', login);
    const refused = [
      () => store.read('grant'),
      () => store.put('grant', login),
      () => store.claim('grant', claim),
      () => store.logOut('grant', logOut),
      () => store.claimOnce('key', 'owner', 60_000),
      () => store.resolveClaim('key', 'owner', { result: 'result', keptMs: 60_000 }),
      () => store.list()[Symbol.asyncIterator]().next(),
      () => store.takeIdle({ idleMs: 0, takenMs: 60_000 })[Symbol.asyncIterator]().next(),
      () => store.diagnose(),
    ];
    const expectRefusals = async (): Promise<void> => {
      const answers = await Promise.allSettled(refused.map((call) => call()));
      for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected' });
      for (const { reason } of answers as PromiseRejectedResult[]) {
        expect(storeFailureOf(reason)).toMatchObject({ reason: expect.stringContaining('is closed') });
      }
    };

    const closing = store.close();
    await expectRefusals();
    await closing;
    await expectRefusals();
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
    await store.close();
  });
});
