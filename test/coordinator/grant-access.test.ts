import type { GrantRecord } from '../../lib/stores/store';
import { refreshInDoubt } from '../../lib/coordinator/failures';
import { collect } from '../helpers/collect';
import { partsOf, recordOf, tokensOf, turn } from './support';

/** A store whose reads are answered by the test, and everything told of it. */
function start() {
  const all = partsOf();
  const reads: ((record: GrantRecord | undefined) => Promise<void>)[] = [];
  const read = jest.spyOn(all.store, 'read').mockImplementation(
    () =>
      new Promise((resolve) => {
        reads.push((record) => {
          resolve(record);
          return turn();
        });
      }),
  );
  const told: unknown[] = [];
  all.events.emitter.on('store.failed', (event) => told.push(event));
  return { ...all, read, reads, told };
}

const any = () => true;

describe('reading a grant', () => {
  it('is one read for all requests that ask meanwhile, and a new read afterwards', async () => {
    const { access, reads } = start();
    const views = [access.view('grant', any), access.view('grant', any)];
    await turn();
    expect(reads).toHaveLength(1);
    const third = access.view('grant', any);
    await reads[0]!(recordOf());

    const [one, two] = await Promise.all(views);
    expect(one!.tokens).toEqual(tokensOf());
    expect(two).toBe(one);
    expect(await third).toBe(one);
    void access.view('grant', any);
    await turn();
    expect(reads).toHaveLength(2);
  });

  it('joins the next read if the first did not find the login that was asked for', async () => {
    const { access, reads } = start();
    void access.view('grant', any);
    await turn();
    const isSecond = ({ record }: { record: GrantRecord }) => record.generation === 'second';
    const views = [access.view('grant', isSecond), access.view('grant', isSecond)];
    await reads[0]!(recordOf());
    expect(reads).toHaveLength(2);
    await reads[1]!(recordOf({ generation: 'second' }));

    expect((await Promise.all(views)).map((view) => view?.record.generation)).toEqual(['second', 'second']);
    expect(reads).toHaveLength(2);
  });

  it('fails for all requests at once, and the next request reads anew', async () => {
    const { access, read, reads } = start();
    read.mockRejectedValueOnce(new Error('The store is down.'));
    const views = [access.view('grant', any), access.view('grant', any)].map((view) =>
      view.catch((error: unknown) => error),
    );

    for (const error of await Promise.all(views)) expect(error).toMatchObject({ code: 'ERR_SALESFORCE_TOKEN_STORE' });
    const again = access.view('grant', any);
    await turn();
    await reads[0]!(recordOf());
    expect((await again)?.record.version).toBe(1);
  });

  it.each([undefined, recordOf({ state: 'loggedOut', payload: '' })])(
    'finds none that is logged out',
    async (record) => {
      const { access, cache, reads } = start();
      const view = access.view('grant', any);
      await turn();
      await reads[0]!(record);

      expect(await view).toBeUndefined();
      expect(cache.get('grant')).toBeUndefined();
    },
  );

  it('does not decrypt a payload that has not changed', async () => {
    const { access, cache, codec, reads } = start();
    const decode = jest.spyOn(codec, 'decode');
    const open = async (record: GrantRecord) => {
      const opened = access.open('grant');
      await turn();
      await reads.pop()!(record);
      return opened;
    };
    const { tokens } = access.remember(recordOf(), tokensOf());

    expect((await open(recordOf()))!.tokens).toBe(tokens);
    expect((await open(recordOf({ version: 2 })))!.tokens).toBe(tokens);
    expect(decode).not.toHaveBeenCalled();
    expect((await open(recordOf({ payload: `${recordOf().payload} ` })))!.tokens).toEqual(tokens);
    expect((await open(recordOf({ generation: 'second' })))!.tokens).not.toBe(tokens);
    await expect(open(recordOf({ schema: 1 as 2 }))).rejects.toMatchObject({ code: 'ERR_SALESFORCE_GRANT_UNREADABLE' });
    cache.delete('grant');
    expect((await open(recordOf()))!.tokens).not.toBe(tokens);
    expect(decode).toHaveBeenCalledTimes(4);
  });
});

describe('a grant that changes in the store', () => {
  it('is not served before the store was asked, and stays cached in case the store does not answer', () => {
    const { access, cache } = start();
    const view = access.remember(recordOf(), tokensOf());
    view.aloneUntil = 1_000;
    access.outdate('grant');
    access.outdate('nobody');

    expect(cache.get('grant')).toMatchObject({ isOutdated: true, aloneUntil: -Infinity, tokens: tokensOf() });
  });

  it('during a read is read anew by the next request, and the first reading counts as old', async () => {
    const { access, reads } = start();
    const first = access.view('grant', any);
    await turn();
    access.outdate('grant');
    const second = access.view('grant', any);
    await turn();
    expect(reads).toHaveLength(2);
    await reads[1]!(recordOf({ version: 2 }));
    await reads[0]!(recordOf());

    expect((await first)!.isOutdated).toBe(true);
    expect((await second)!.isOutdated).toBe(false);
  });

  it('keeps the newer reading for requests that ask after the older one has ended', async () => {
    const { access, reads } = start();
    void access.view('grant', any);
    await turn();
    access.outdate('grant');
    const second = access.view('grant', any);
    await turn();
    await reads[0]!(recordOf());
    const third = access.view('grant', any);
    await reads[1]!(recordOf({ version: 2 }));

    expect(await third).toBe(await second);
    expect(reads).toHaveLength(2);
  });
});

describe('a store that has lost a write', () => {
  it('is noticed by a process that saw the newer version of the same login', () => {
    const { access } = start();
    expect(access.hasSeenNewer(recordOf())).toBe(false);
    access.remember(recordOf({ version: 3 }), tokensOf());

    expect(access.hasSeenNewer(recordOf({ version: 2 }))).toBe(true);
    expect(access.hasSeenNewer(recordOf({ version: 3 }))).toBe(false);
    expect(access.hasSeenNewer(recordOf({ version: 2, generation: 'second' }))).toBe(false);
  });

  it('stays noticed while the older version is read, until this process has stored another', () => {
    const { access } = start();
    expect(access.remember(recordOf({ version: 3 }), tokensOf()).newestVersion).toBe(3);
    expect(access.remember(recordOf({ version: 2 }), tokensOf())).toMatchObject({
      record: { version: 2 },
      newestVersion: 3,
    });
    expect(access.hasSeenNewer(recordOf({ version: 2 }))).toBe(true);

    access.replace(recordOf({ version: 2 }), tokensOf());

    expect(access.hasSeenNewer(recordOf({ version: 2 }))).toBe(false);
  });
});

describe('calling the store', () => {
  it('gives its answer, and leaves no timer', async () => {
    const { access, clock, told } = start();
    const onLate = jest.fn(() => Promise.resolve());

    expect(await access.call('claim', () => Promise.resolve('answer'), onLate)).toBe('answer');
    expect(clock.pending).toBe(0);
    expect(onLate).not.toHaveBeenCalled();
    expect(told).toEqual([]);
  });

  it('gives up after storeTimeoutMs, and hands on a late answer', async () => {
    const { access, clock, told } = start();
    let answer: (value: string) => void = () => undefined;
    const onLate = jest.fn(() => Promise.reject(new Error('Too late for this as well.')));
    const ended: unknown[] = [];
    access
      .call('claim', () => new Promise<string>((resolve) => (answer = resolve)), onLate)
      .catch((error: unknown) => ended.push(error));
    clock.advanceMs(4_999);
    await turn();
    expect(ended).toEqual([]);
    clock.advanceMs(1);
    await turn();

    expect(ended).toMatchObject([
      {
        code: 'ERR_SALESFORCE_TOKEN_STORE',
        status: 503,
        retryAfterSeconds: 5,
      },
    ]);
    expect(told).toEqual([
      { operation: 'claim', code: 'TIMEOUT', reason: 'no answer within 5000 ms', durationMs: 5_000 },
    ]);
    expect(onLate).not.toHaveBeenCalled();
    answer('late');
    await turn();
    expect(onLate.mock.calls).toEqual([['late']]);
  });

  it('turns a failure into an error of this package, and keeps errors of this package', async () => {
    const { access, clock, told } = start();
    const own = refreshInDoubt(1_000);

    await expect(access.call('releaseClaim', () => Promise.reject(own))).rejects.toBe(own);
    expect(told).toEqual([]);
    const failed = access.call('releaseClaim', () => {
      clock.advanceMs(7);
      throw new Error('connection refused');
    });
    const error = (await failed.catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'ERR_SALESFORCE_TOKEN_STORE', status: 503 });
    expect(error.message).toContain('release a claim');
    expect(told).toEqual([{ operation: 'releaseClaim', code: undefined, reason: 'Error', durationMs: 7 }]);
    expect(clock.pending).toBe(0);
  });
});

describe('what a store gives one by one', () => {
  /** Two items, and whether their reader said that it had enough. */
  function items() {
    const state = { isReturned: false };
    async function* two(): AsyncIterable<number> {
      try {
        yield await Promise.resolve(1);
        yield await Promise.resolve(2);
      } finally {
        state.isReturned = true;
      }
    }
    return { state, two };
  }

  it('is read to its end', async () => {
    const { access, clock } = start();
    const { two } = items();

    expect(await collect(access.each('list', two))).toEqual([1, 2]);
    expect(clock.pending).toBe(0);
  });

  it('is ended early if the reader stops', async () => {
    const { access } = start();
    const { state, two } = items();
    for await (const item of access.each('list', two)) {
      expect(item).toBe(1);
      expect(state.isReturned).toBe(false);
      break;
    }

    expect(state.isReturned).toBe(true);
  });

  it.each([
    ['the first', []],
    ['a later one', [1]],
  ])('has to come in time, each, and a store that is late is not waited for: %s', async (_what, before) => {
    const { access, clock, told } = start();
    const returned = jest.fn(() => new Promise<never>(() => undefined));
    const answers = [
      ...before.map((value) => Promise.resolve({ done: false, value })),
      new Promise<never>(() => undefined),
    ];
    const iterable = {
      [Symbol.asyncIterator]: () => ({ next: () => answers.shift()!, return: returned }),
    } as AsyncIterable<number>;
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of access.each('takeIdle', () => iterable)) seen.push(item);
    })();
    reading.catch(() => undefined);
    await turn();
    // A store may look at many grants before one matches.
    clock.advanceMs(59_999);
    await turn();
    expect(told).toEqual([]);
    clock.advanceMs(1);

    await expect(reading).rejects.toMatchObject({ code: 'ERR_SALESFORCE_TOKEN_STORE' });
    expect(seen).toEqual(before);
    // It ends its walk once it can.
    expect(returned).toHaveBeenCalledTimes(1);
    expect(told).toEqual([
      { operation: 'takeIdle', code: 'TIMEOUT', reason: 'no answer within 60000 ms', durationMs: 60_000 },
    ]);
  });

  it('may come from an iterator without return()', async () => {
    const { access } = start();
    const iterable = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: false, value: 1 }) }),
    } as AsyncIterable<number>;
    for await (const item of access.each('list', () => iterable)) {
      expect(item).toBe(1);
      break;
    }
  });
});
