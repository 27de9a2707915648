import fc from 'fast-check';
import { memory, play } from '../schedules/play';
import { schedules } from '../schedules/steps';

describe('a few random schedules', () => {
  it('break no promise', async () => {
    const property = fc.asyncProperty(schedules, async (schedule) => {
      const { violations } = await play(schedule, memory());
      if (violations.length > 0) throw new Error(violations[0]);
    });
    await fc.assert(property, { numRuns: 100, seed: 1, endOnFailure: true });
  });
});
