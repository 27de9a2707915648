import { EventEmitter } from 'node:events';
import { subscribe, type ListeningPool } from '../../lib/stores/postgres/subscription';

/** What comes to a listener of `subscribe`, with a pool of another library than pg. */
function listen(connect: () => unknown) {
  const warnings: string[] = [];
  const told: string[] = [];
  const stop = subscribe({
    pool: { connect } as ListeningPool,
    channel: 'grants',
    tell: (payload) => told.push(payload),
    warn: (message) => warnings.push(message),
  });
  return { warnings, told, stop };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Connection extends EventEmitter {
  readonly released: boolean[] = [];
  query = (): Promise<void> => Promise.resolve();
  release(destroy: boolean): unknown {
    this.released.push(destroy);
    return undefined;
  }
}

describe('listening on a connection of a pool', () => {
  it('works with a pool of another library whose client has release()', async () => {
    const connection = new Connection();
    const { told, warnings, stop } = listen(() => Promise.resolve(connection));
    await turn();

    connection.emit('notification', { channel: 'grants', payload: 'one' });
    stop();

    expect(told).toEqual(['one']);
    expect(warnings).toEqual([]);
    expect(connection.released).toEqual([true]);
  });

  it.each([
    ['nothing, as the connect() of a single client does', undefined],
    ['a client without release()', Object.assign(new EventEmitter(), { query: () => Promise.resolve() })],
    ['something that is no client', { release: () => Promise.reject(new Error('Gone.')) }],
  ])('is given up with one warning if connect() gives %s', async (_what, given) => {
    let connects = 0;
    const { warnings, stop } = listen(() => {
      connects += 1;
      return Promise.resolve(given);
    });
    await turn();

    if (given instanceof EventEmitter) expect(given.listenerCount('notification')).toBe(0);
    stop();

    expect(warnings).toEqual([expect.stringContaining('connect() gives a client with release()')]);
    expect(connects).toBe(1);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('Release called on client which has already been released to the pool.');
      },
    ],
    ['rejects', () => Promise.reject(new Error('Gone.'))],
  ])('throws in no listener if release() %s', async (_what, release) => {
    const connection = new Connection();
    connection.release = release;
    const { warnings, stop } = listen(() => Promise.resolve(connection));
    await turn();

    expect(() => connection.emit('error')).not.toThrow();
    stop();
    await turn();

    expect(warnings).toHaveLength(1);
  });
});
