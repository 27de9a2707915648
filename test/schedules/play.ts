import { MemoryTokenStore } from '../../lib';
import { ManualClock } from '../helpers/clock';
import { networkOf } from './network';
import { take, type Schedule } from './steps';
import { World, type Setting, type SharedStore } from './world';

const { fetch, Math: math } = globalThis;
const random = math.random.bind(math);

afterEach(() => {
  globalThis.fetch = fetch;
  math.random = random;
});

/** A world in which this test's code runs until it is over. */
export function begin(setting: Setting, shared: SharedStore, jitter: () => number): World {
  math.random = jitter;
  const world = new World(setting, shared);
  globalThis.fetch = networkOf(world);
  return world;
}

/** Runs a schedule; returns the world it left, with the promises that were broken. */
export async function play({ setting, random: seedOfJitter, steps }: Schedule, shared: SharedStore): Promise<World> {
  const world = begin(setting, shared, generator(seedOfJitter));
  void world.login(world.process(0), 'id api refresh_token');
  await world.elapse(50);
  for (const step of steps) await take(world, step);
  await world.finish();
  await world.bury();
  return world;
}

/** Mulberry32: the library's jitter has to be the same when a schedule is replayed. */
function generator(seedOfJitter: number): () => number {
  let state = seedOfJitter;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function memory(): SharedStore {
  const clock = new ManualClock();
  return { store: new MemoryTokenStore({ clock }), clock };
}
