import { grantIdOf, tokenLifeOf } from '../../lib/coordinator/grant';
import { backoffMs } from '../../lib/coordinator/settings';
import { tokensOf } from './support';

/** Ids whose soft bounds lie anywhere between the earliest and the latest. */
const ids = Array.from({ length: 2_000 }, (_unused, index) => `grant ${index}`);

describe('the life of a token', () => {
  it('is presumed to end with the session timeout', () => {
    for (const id of ids) {
      const { softMs, hardMs } = tokenLifeOf(tokensOf(), id, 7_200);
      expect(hardMs).toBe(7_200_000);
      expect(softMs).toBeGreaterThanOrEqual(0.75 * 7_200_000);
      expect(softMs).toBeLessThan(0.9 * 7_200_000);
    }
  });

  it('ends a minute before a known end, or a tenth of a short life before it', () => {
    expect(tokenLifeOf(tokensOf({ lifeMs: 1_000_000 }), 'grant', 7_200).hardMs).toBe(940_000);
    expect(tokenLifeOf(tokensOf({ lifeMs: 100_000 }), 'grant', 7_200).hardMs).toBe(90_000);
  });

  it('has a refresh at a different time for each of many grants that began together', () => {
    const softs = ids.map((id) => tokenLifeOf(tokensOf(), id, 1_000).softMs!);
    expect(new Set(softs).size).toBeGreaterThan(500);
    expect(Math.min(...softs)).toBeLessThan(755_000);
    expect(Math.max(...softs)).toBeGreaterThan(895_000);
    expect(tokenLifeOf(tokensOf(), 'ab', 1_000).softMs).toBeCloseTo(750_000 + 150 * ((97 * 31 + 98) % 1000), 5);
  });

  it('never plans a refresh after its end', () => {
    for (const id of ids) {
      const { softMs, hardMs } = tokenLifeOf(tokensOf({ lifeMs: 70_000 }), id, 7_200);
      expect(softMs).toBeLessThanOrEqual(hardMs!);
    }
    expect(tokenLifeOf(tokensOf({ lifeMs: 100 }), 'grant', 7_200).softMs).toBeLessThanOrEqual(90);
  });

  it('has no refresh without a refresh token, and an end only if the end is known', () => {
    const { refreshToken: _none, ...tokens } = tokensOf();

    expect(tokenLifeOf(tokens, 'grant', 7_200)).toEqual({ softMs: null, hardMs: null });
    expect(tokenLifeOf({ ...tokens, lifeMs: 100_000 }, 'grant', 7_200)).toEqual({ softMs: null, hardMs: 90_000 });
  });
});

describe('the id of a grant', () => {
  const owner = { organizationId: '00D000000000001AAA', userId: '005000000000001AAA', clientID: '3MVG9__fake__' };

  it('is the same for one user at one client, and differs for any other user or client', () => {
    const id = grantIdOf(owner, 'key');
    expect(grantIdOf({ ...owner }, 'key')).toBe(id);
    expect(id).toMatch(/^[\w-]{43}$/);
    const others = [
      grantIdOf({ ...owner, organizationId: '00D000000000002AAA' }, 'key'),
      grantIdOf({ ...owner, userId: '005000000000002AAA' }, 'key'),
      grantIdOf({ ...owner, clientID: '3MVG9__other__' }, 'key'),
      grantIdOf(owner, 'other'),
    ];
    expect(new Set([id, ...others]).size).toBe(5);
  });
});

describe('the pause before another try', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([
    [0, 1_000, 1_200],
    [5, 32_000, 38_400],
    [6, 60_000, 72_000],
    [60, 60_000, 72_000],
  ])('lies, after %i failures, between %i and %i ms', (failures, leastMs, mostMs) => {
    jest.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(1);

    expect([backoffMs(failures), backoffMs(failures)]).toEqual([leastMs, mostMs]);
  });

  it('is the time that Salesforce asked for, or up to a fifth more, and a second at least', () => {
    jest.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(1).mockReturnValueOnce(0.7);

    expect([backoffMs(9, 20), backoffMs(9, 20), backoffMs(0, 0)]).toEqual([20_000, 24_000, 1_140]);
  });

  it('is a whole number of milliseconds', () => {
    jest.spyOn(Math, 'random').mockReturnValueOnce(0.123456);

    expect(Number.isInteger(backoffMs(0))).toBe(true);
  });
});
