/** @tier all */
import fc from 'fast-check';
import { breakages, broken } from './breakages';
import { breaksNoPromise } from './property';

/** Seeds with which each breakage shows soon, so that the ordinary run need not play thousands. */
const seeds: Record<keyof typeof breakages, number> = {
  'commit goes through whatever the version': 4,
  'commit brings a grant back that was logged out': 8,
  'a grant is given up whatever its version': 7,
  'two may claim at once': 2,
  'a claim of a process that died leaves no doubt': 3,
  'a claim does not ask for the version': 8,
  'a logout everywhere ends whatever there is, and says what it read first': 10,
};

describe('random schedules find that', () => {
  it.each(Object.keys(breakages))(
    '%s',
    async (name) => {
      const property = breaksNoPromise(() => broken(name), undefined, false);
      const { failed } = await fc.check(property, { numRuns: 100, seed: seeds[name]!, endOnFailure: true });
      expect(failed).toBe(true);
    },
    60_000,
  );
});
