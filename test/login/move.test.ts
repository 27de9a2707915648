import { randomBytes } from 'node:crypto';
import { Addresses } from '../../lib/address';
import { KeyRing } from '../../lib/crypto/key-ring';
import { isMove, LoginMoves, moveParameter, type MovedLogin } from '../../lib/login/move';
import { ManualClock } from '../helpers/clock';
import { requestOf } from '../helpers/request';

const moved: MovedLogin = { origin: 'http://www.app.example', tenant: 'acme', options: { prompt: 'login' } };
const start = (publicUrl?: string) => {
  const clock = new ManualClock();
  const moves = new LoginMoves(new KeyRing([randomBytes(32)], 'transaction'), clock);
  return { clock, moves, addresses: new Addresses(publicUrl) };
};

describe('a login that moves', () => {
  it.each([
    ['', '/login?tab=1&tab=2'],
    ['/crm', '/crm/login?tab=1&tab=2'],
  ])('goes to the same page at the other origin, below the root %p of the application', async (prefix, page) => {
    const { moves, addresses } = start(`https://app.example${prefix}`);
    const req = await requestOf('/login?tab=1&tab=2');

    const url = new URL(await moves.urlFor(req, 'https://app.example', { addresses, moved }));

    expect(isMove(url.href)).toBe(true);
    const mark = url.searchParams.get(moveParameter)!;
    url.searchParams.delete(moveParameter);
    expect(url.href).toBe(`https://app.example${page}`);
    expect(isMove(url.href)).toBe(false);
    expect(await moves.read(await requestOf(`/login?${moveParameter}=${mark}`))).toStrictEqual(moved);
  });

  it('has a mark that is good for five minutes, and replaces a mark that came', async () => {
    const { clock, moves, addresses } = start();
    const url = new URL(
      await moves.urlFor(await requestOf(`/login?${moveParameter}=old`), 'https://app.example', { addresses, moved }),
    );
    const req = await requestOf(url.pathname + url.search);

    clock.advanceMs(5 * 60_000);
    expect(await moves.read(req)).toEqual(moved);
    clock.advanceMs(1);
    expect(await moves.read(req)).toBeUndefined();
  });

  it.each(['', `?${moveParameter}`, `?${moveParameter}=forged`])('is not known by the query %p', async (query) => {
    expect(await start().moves.read(await requestOf(`/login${query}`))).toBeUndefined();
  });

  it('is not known by a mark of another process that has other keys, or by two marks', async () => {
    const [one, other] = [start(), start()];
    const url = new URL(
      await one.moves.urlFor(await requestOf('/login'), 'https://app.example', { addresses: one.addresses, moved }),
    );
    const mark = url.searchParams.get(moveParameter)!;

    expect(await other.moves.read(await requestOf(`/login${url.search}`))).toBeUndefined();
    expect(
      await one.moves.read(await requestOf(`/login?${moveParameter}=${mark}&${moveParameter}=${mark}`)),
    ).toBeUndefined();
    expect(await one.moves.read(await requestOf(`/login${url.search}`))).toEqual(moved);
  });
});
