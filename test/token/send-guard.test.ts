/** @again newest-node */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fetchGuarded } from '../../lib/token/send-guard';

let server: Server;
let url: string;
const received: IncomingMessage[] = [];

beforeAll(async () => {
  server = createServer((req, res) => {
    received.push(req);
    res.end('answer');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
});

beforeEach(() => {
  received.length = 0;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('a guarded request', () => {
  const post = { method: 'POST', headers: { accept: 'application/json' }, body: new URLSearchParams({ who: 'me' }) };

  it('is sent where its guard lets it pass, which is asked once, when there is a connection', async () => {
    const guard = jest.fn(() => true);

    const answer = await fetchGuarded(url, post, guard);

    expect(await answer.text()).toBe('answer');
    expect(guard).toHaveBeenCalledTimes(1);
    expect(received[0]!.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
      'x-request-id': expect.stringMatching(/^[\w-]{36}$/) as string,
    });
  });

  it('does not leave this machine where its guard holds it back', async () => {
    await expect(fetchGuarded(url, post, () => false)).rejects.toThrow('fetch failed');
    // The next one is answered after whatever came before it.
    await fetchGuarded(url, post, () => true);

    expect(received).toHaveLength(1);
  });

  it('has a guard of its own among many to the same address, guarded and not', async () => {
    const wanted = Array.from({ length: 30 }, (_unused, index) => index % 3);
    const answers = await Promise.all(
      wanted.map((kind) => {
        const guard = kind === 2 ? undefined : () => kind === 0;
        return fetchGuarded(url, post, guard).then(
          ({ status }) => status,
          () => 'held back',
        );
      }),
    );

    expect(answers).toEqual(wanted.map((kind) => (kind === 1 ? 'held back' : 200)));
    expect(received).toHaveLength(20);
    const ids = received.map(({ headers }) => headers['x-request-id']).filter((id) => id !== undefined);
    expect(new Set(ids).size).toBe(10);
  });

  it('is the only one with an id', async () => {
    await fetchGuarded(url, post, undefined);

    expect(received[0]!.headers).not.toHaveProperty('x-request-id');
  });
});
