import { GrantCache, viewOf } from '../../lib/coordinator/cache';
import { ManualClock } from '../helpers/clock';
import { recordOf, tokensOf } from './support';

const clock = new ManualClock();
const view = (version: number) => viewOf(recordOf({ version }), tokensOf(), clock);

describe('the cache of grants', () => {
  it('forgets what was not used while as many others came as it holds', () => {
    const cache = new GrantCache(2);
    cache.set('one', view(1));
    cache.set('two', view(2));
    cache.set('three', view(3));
    expect(cache.get('one')?.record.version).toBe(1);
    cache.set('four', view(4));

    expect(cache.get('two')).toBeUndefined();
    expect(cache.get('one')?.record.version).toBe(1);
    expect(cache.get('three')?.record.version).toBe(3);
    expect(cache.get('four')?.record.version).toBe(4);
  });

  it('forgets nothing where a grant is only replaced', () => {
    const cache = new GrantCache(2);
    cache.set('one', view(1));
    cache.set('two', view(2));
    for (let version = 3; version < 9; version++) cache.set('two', view(version));

    expect(cache.get('one')?.record.version).toBe(1);
    expect(cache.get('two')?.record.version).toBe(8);
  });

  it('deletes a grant wherever it is', () => {
    const cache = new GrantCache(1);
    cache.set('old', view(1));
    cache.set('young', view(2));
    cache.delete('old');
    cache.delete('young');

    expect([cache.get('old'), cache.get('young')]).toEqual([undefined, undefined]);
  });

  it('holds as many as ten thousand by default, and no more than twice as many', () => {
    const cache = new GrantCache();
    const one = view(1);
    for (let index = 0; index < 20_001; index++) cache.set(String(index), one);

    expect(cache.get('9999')).toBeUndefined();
    expect(cache.get('10000')).toBe(one);
  });
});

describe('a view of a record', () => {
  it('has points in time where the record has durations', () => {
    clock.advanceMs(500);

    const record = recordOf({ version: 7, backoffInMs: 3_000 });
    expect(viewOf(record, tokensOf(), clock)).toEqual({
      record,
      newestVersion: 7,
      tokens: tokensOf(),
      readAt: 500,
      aloneUntil: 500,
      softAt: 60_500,
      hardAt: 90_500,
      nextTryAt: 3_500,
      isStale: false,
    });
  });

  it('never comes to an end that is not known', () => {
    const { softAt, hardAt } = viewOf(recordOf({ softInMs: null, hardInMs: null }), tokensOf(), clock);

    expect([softAt, hardAt]).toEqual([Infinity, Infinity]);
  });
});
