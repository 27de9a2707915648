import { BoundedMap } from '../lib/bounded-map';

describe('a bounded map', () => {
  it('forgets the entry that was set longest ago, and no other', () => {
    const map = new BoundedMap<string, number>(3);
    for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) map.set(key, index);
    expect([...map]).toEqual([
      ['b', 1],
      ['c', 2],
      ['d', 3],
    ]);
  });

  it('forgets nothing if an entry is set again, which makes the entry the newest', () => {
    const map = new BoundedMap<string, number>(2).set('a', 1).set('b', 2);
    map.set('a', 3);
    expect([...map.keys()]).toEqual(['b', 'a']);
    map.set('c', 4);
    expect([...map.keys()]).toEqual(['a', 'c']);
  });

  it('never grows past its limit, with keys of any kind', () => {
    const map = new BoundedMap<unknown, number>(100);
    map.set(undefined, 0);
    for (let index = 0; index < 1_000; index++) map.set({ index }, index);
    expect(map.size).toBe(100);
    expect(map.has(undefined)).toBe(false);
  });
});
