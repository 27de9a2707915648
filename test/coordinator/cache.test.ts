import { accessTokenOf, GrantCache, viewOf } from '../../lib/coordinator/cache';
import { digestOf } from '../../lib/coordinator/grant';
import { ManualClock } from '../helpers/clock';
import { recordOf, tokensOf } from './support';

const clock = new ManualClock();
const view = (version: number) => viewOf(recordOf({ version }), tokensOf(), clock);

describe('the cache of grants', () => {
  it('forgets a grant that was not used while the cache was filled with others', () => {
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

  it('forgets nothing if a grant is only replaced', () => {
    const cache = new GrantCache(2);
    cache.set('one', view(1));
    cache.set('two', view(2));
    for (let version = 3; version < 9; version++) cache.set('two', view(version));

    expect(cache.get('one')?.record.version).toBe(1);
    expect(cache.get('two')?.record.version).toBe(8);
  });

  it('deletes a grant from both of its maps', () => {
    const cache = new GrantCache(1);
    cache.set('old', view(1));
    cache.set('young', view(2));
    cache.delete('old');
    cache.delete('young');

    expect([cache.get('old'), cache.get('young')]).toEqual([undefined, undefined]);
  });

  it('holds at least ten thousand grants by default, and at most twice as many', () => {
    const cache = new GrantCache();
    const one = view(1);
    for (let index = 0; index < 20_001; index++) cache.set(String(index), one);

    expect(cache.get('9999')).toBeUndefined();
    expect(cache.get('10000')).toBe(one);
  });
});

describe('a view of a record', () => {
  it('counts its age from the reading, on both clocks', () => {
    clock.advanceMs(500);

    const record = recordOf({ version: 7, backoffInMs: 3_000 });
    expect(viewOf(record, tokensOf(), clock)).toEqual({
      record,
      newestVersion: 7,
      tokens: tokensOf(),
      readAt: { monotonic: 500, wall: clock.now() },
      isOutdated: false,
      aloneUntil: 500,
      quietUntil: 500,
      turnAt: 500,
      isInUse: undefined,
      nextTryAt: 3_500,
      softInMs: 60_000,
      hardInMs: 90_000,
      overInMs: Infinity,
      isRefused: false,
      isStale: false,
    });
  });

  it('has no end if no end is known', () => {
    const { softInMs, hardInMs } = viewOf(recordOf({ softInMs: null, hardInMs: null }), tokensOf(), clock);

    expect([softInMs, hardInMs]).toEqual([Infinity, Infinity]);
  });

  it('tells whether the access token works: a presumed end does not count, a refusal does', () => {
    const own = new ManualClock();
    const presumed = viewOf(recordOf({ hardInMs: 1_000 }), tokensOf(), own);
    // Handed out for 540 s, and over a minute later.
    const certain = viewOf(recordOf({ hardInMs: 540_000 }), tokensOf({ lifeMs: 600_000 }), own);
    const refused = viewOf(recordOf({ refused: digestOf(tokensOf().accessToken) }), tokensOf(), own);
    const other = viewOf(recordOf({ refused: digestOf('another token') }), tokensOf(), own);

    const states = () => [presumed, certain, refused, other].map((view) => accessTokenOf(view, own));
    expect(states()).toEqual(['works', 'works', 'refused', 'works']);
    own.advanceMs(599_999);
    expect(states()).toEqual(['works', 'works', 'refused', 'works']);
    own.advanceMs(1);
    expect(states()).toEqual(['works', 'over', 'refused', 'works']);
  });

  it('ages while the machine sleeps, at least by the slower clock', () => {
    const own = new ManualClock();
    const certain = viewOf(recordOf({ hardInMs: 540_000 }), tokensOf({ lifeMs: 600_000 }), own);
    own.jumpMs(-86_400_000);
    expect(accessTokenOf(certain, own)).toBe('works');
    own.jumpMs(86_400_000 + 600_000);
    expect(accessTokenOf(certain, own)).toBe('over');
  });

  it('of a grant that has ended is served for as long as its access token works', () => {
    const ended = viewOf(recordOf({ state: 'ended', softInMs: -5, hardInMs: -3 }), tokensOf(), clock);
    const certain = viewOf(recordOf({ state: 'ended', softInMs: 0, hardInMs: 10 }), tokensOf({ lifeMs: 100 }), clock);

    expect([ended.softInMs, ended.hardInMs]).toEqual([Infinity, Infinity]);
    expect([certain.softInMs, certain.hardInMs]).toEqual([Infinity, 20]);
  });
});
