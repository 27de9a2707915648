/** @tier all */
import fc from 'fast-check';
import { describeEachOn } from '../helpers/programs';
import { breaksNoPromise } from './property';
import { openServer } from './servers';

/*
 * The same schedules on a real Redis and a real PostgreSQL, which are told the time. `npm run schedules -- --servers` plays more of
 * them.
 */

const count = Number(process.env['SCHEDULES_COUNT'] ?? 40);
const seed = Number(process.env['SCHEDULES_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const path = process.env['SCHEDULES_PATH'];

describeEachOn(['Redis', 'PostgreSQL'] as const)('random schedules on %s', (kind) => {
  it(
    `break no promise in ${count} schedules`,
    async () => {
      const server = await openServer[kind]();
      let logins = 0;
      try {
        const property = breaksNoPromise(server.next, (_schedule, world) => (logins += world.logins.length));
        const details = await fc.check(property, { numRuns: count, seed, ...(path === undefined ? {} : { path }) });
        process.stdout.write(`${kind}: ${details.numRuns} schedules, seed ${seed}, ${logins} × login again\n`);
        if (details.failed) {
          throw new Error(
            `${String(details.errorInstance)}\n${fc.defaultReportMessage(details) ?? ''}\nReplay: npm run schedules -- --servers --seed ${seed} --path ${details.counterexamplePath ?? ''}`,
          );
        }
      } finally {
        await server.stop();
      }
    },
    24 * 60 * 60 * 1000,
  );
});
