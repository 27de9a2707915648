/** One of several processes that refresh one grant in a file, as often as told; prints the versions that it committed. */
import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { SqliteTokenStore } from '../../../dist/stores/sqlite.mjs';

const [file, grantId, rounds] = process.argv.slice(2);
const store = new SqliteTokenStore({ file });
const committed = [];
for (let record = await store.read(grantId); record.version < Number(rounds); record = await store.read(grantId)) {
  const { generation, version } = record;
  const owner = randomUUID();
  const { outcome } = await store.claim(grantId, { generation, version, owner, leaseMs: 60_000 });
  if (outcome === 'claimed') {
    const payload = `tokens of ${process.pid}`;
    const answer = await store.commit(grantId, { generation, version, payload, softMs: null, hardMs: null });
    if (answer === 'committed') committed.push(version);
  }
  await turn();
}
process.stdout.write(JSON.stringify(committed));
// No close(): a process that is killed does not call it either.
