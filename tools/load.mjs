/**
 * `npm run load -- [--seconds 300] [--users 200] [--workers 3] [--store redis|postgres] [--seed 1] [--write]`
 *
 * Load with faults: users on several worker processes that share one store, rotation on, while the emulator fails, the store
 * is restarted, and workers are killed and frozen. Prints a report, and with `--write` writes it into docs/internals/load.md, which
 * says what is a fault of this package: the exit code is 1 then.
 */
import { clearInterval, setInterval } from 'node:timers';
import { parseArgs } from 'node:util';
import { startEmulator } from '../dist/emulator.mjs';
import { writeResult } from './load/document.mjs';
import { Faults, seedWith } from './load/faults.mjs';
import { Report } from './load/report.mjs';
import { startStore } from './load/stores.mjs';
import { User } from './load/user.mjs';
import { Workers } from './load/workers.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    users: { type: 'string', default: '200' },
    workers: { type: 'string', default: '3' },
    store: { type: 'string', default: 'redis' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});
const [seconds, userCount, workerCount] = [values.seconds, values.users, values.workers].map(Number);
seedWith(Number(values.seed));

const report = new Report();
/** Life of an access token. Each user is refreshed two to three times in five minutes. */
const sessionTimeoutSeconds = 120;
const emulator = await startEmulator({ callbackURLs: [], sessionTimeoutSeconds });
emulator.faults.inject({ on: 'token', kind: 'reply', times: Infinity, change: (reply) => report.issued(reply) });
while (emulator.users.length < userCount) emulator.addUser();
const store = await startStore(values.store);
const workers = new Workers({ emulator, store, count: workerCount, sessionTimeoutSeconds, report });
await workers.start();

console.log(`${userCount} users on ${workerCount} processes with ${values.store}, for ${seconds} s. Logging in …`);
const users = emulator.users.slice(0, userCount).map((user) => new User(user, { emulator, workers, report }));
// A few at a time, because this run does not test logins.
const waiting = [...users];
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (let user = waiting.pop(); user; user = waiting.pop()) await user.logIn('the first one');
  }),
);
console.log('All logged in. Faults begin.');
const end = Date.now() + seconds * 1000;
const isOver = () => Date.now() >= end;
const faults = new Faults({ emulator, store, workers, report });
const progress = setInterval(() => console.log(report.line()), 15_000);
await Promise.all([...users.map((user) => user.run(isOver)), faults.run(isOver)]);

// Without faults, every doubt must end, and all users must still be logged in.
emulator.faults.clear();
emulator.faults.inject({ on: 'token', kind: 'reply', times: Infinity, change: (reply) => report.issued(reply) });
await store.up();
await Promise.all(users.map((user) => user.settle()));
clearInterval(progress);
report.end({ emulator, seconds, users: userCount, workers: workerCount, store: values.store });
console.log(report.text());
if (values.write) writeResult(report.figures());
await workers.stop();
await store.stop();
await emulator.stop();
process.exitCode = report.isClean ? 0 : 1;
