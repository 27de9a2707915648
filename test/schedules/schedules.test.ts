import fc from 'fast-check';
import { memory } from './play';
import { breaksNoPromise } from './property';

/*
 * Random schedules of everything that can happen to a grant, over processes that share a store, in virtual time. The
 * emulator is the judge. `npm run schedules` runs ten thousand; it prints how to replay one that fails.
 */

const count = Number(process.env['SCHEDULES_COUNT'] ?? 300);
/** The ordinary run plays the same schedules each time, so that what fails is what was changed. */
const seed = process.env['SCHEDULES_SEED'] ?? (process.env['SCHEDULES_COUNT'] === undefined ? '1' : undefined);
const path = process.env['SCHEDULES_PATH'];
/** Only the ordinary run of the tests is cut short, on a slow machine. */
const timeLimitMs = process.env['SCHEDULES_COUNT'] === undefined ? 20_000 : undefined;

describe('random schedules', () => {
  it(
    'break no promise',
    async () => {
      const tally = new Map<string, number>();
      const tell = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
      const property = breaksNoPromise(memory, ({ steps }, world) => {
        for (const step of steps) tell(step.do);
        for (const why of world.logins) tell(`login again: ${why}`);
      });
      const details = await fc.check(property, {
        numRuns: count,
        ...(seed === undefined ? {} : { seed: Number(seed) }),
        ...(path === undefined ? {} : { path }),
        ...(timeLimitMs === undefined ? {} : { interruptAfterTimeLimit: timeLimitMs, markInterruptAsFailure: false }),
      });
      const lines = [...tally].sort(([, one], [, other]) => other - one).map(([what, times]) => `  ${times} × ${what}`);
      if (process.env['SCHEDULES_COUNT'] !== undefined) {
        process.stdout.write(`${details.numRuns} schedules, seed ${details.seed}:\n${lines.join('\n')}\n`);
      }
      if (details.failed) {
        throw new Error(
          `${String(details.errorInstance)}\n${fc.defaultReportMessage(details) ?? ''}\nReplay: npm run schedules -- --seed=${details.seed} --path ${details.counterexamplePath ?? ''}`,
        );
      }
    },
    24 * 60 * 60 * 1000,
  );
});
