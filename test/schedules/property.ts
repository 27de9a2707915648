import fc from 'fast-check';
import { play } from './play';
import { schedulesOf, type Schedule } from './steps';
import type { SharedStore, World } from './world';

/**
 * That a schedule breaks no promise.
 *
 * @param storeOf a new store for each schedule
 * @param watch sees what was played, and the world it left
 */
export function breaksNoPromise(
  storeOf: () => SharedStore,
  watch: (schedule: Schedule, world: World) => void = () => undefined,
  hasRareFaults = true,
): fc.IAsyncProperty<[Schedule]> {
  return fc.asyncProperty(schedulesOf(hasRareFaults), async (schedule) => {
    const world = await play(schedule, storeOf());
    watch(schedule, world);
    if (world.violations.length > 0) throw new Error([...new Set(world.violations)].join('\n'));
  });
}
