import fc from 'fast-check';
import { memory } from '../schedules/play';
import { breaksNoPromise } from '../schedules/property';

describe('a few random schedules', () => {
  it('break no promise', async () => {
    await fc.assert(breaksNoPromise(memory), { numRuns: 100, seed: 1, endOnFailure: true });
  });
});
