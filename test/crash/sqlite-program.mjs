/** A process beside the application that uses the same SQLite file. Messages are as those of worker.mjs. */
import process from 'node:process';
import { SqliteTokenStore } from '../../dist/stores/sqlite.mjs';

let store;
let database;

const calls = {
  open({ file }) {
    store = new SqliteTokenStore({ file });
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
    database = new DatabaseSync(file);
    database.exec('pragma busy_timeout = 60000');
  },
  run({ sql, values }) {
    return database.prepare(sql).all(...values);
  },
  read({ grantId }) {
    return store.read(grantId);
  },
};

process.on('message', async ({ call, name, ...given }) => {
  try {
    process.send({ answer: call, value: (await calls[name](given)) ?? null });
  } catch (error) {
    process.send({ answer: call, error: String(error?.stack ?? error) });
  }
});

// The parent is gone, and with it the tests.
process.on('disconnect', () => process.exit(1));

process.send({ news: 'ready' });
