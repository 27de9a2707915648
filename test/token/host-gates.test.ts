import { getEventListeners, once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../lib/clock';
import { parseConfiguration } from '../../lib/options/configuration';
import { TokenClient } from '../../lib/token/client';
import { HostGates } from '../../lib/token/host-gates';
import { ManualClock } from '../helpers/clock';
import { turn } from '../coordinator/support';

/** How many things Node.js keeps at a signal, such as the signals that AbortSignal.any() has made of it. */
function heldBy(signal: AbortSignal): number {
  const kept = Object.getOwnPropertySymbols(signal).map(
    (name) => Reflect.get(signal, name) as { size?: number } | undefined,
  );
  return kept.reduce((sum, each) => sum + (each?.size ?? 0), 0);
}

describe('a gate', () => {
  it('lets as many in as it has places, and the others in the order in which they came', async () => {
    const gates = new HostGates(2);
    const order: number[] = [];
    const leaves = await Promise.all([gates.enter('a'), gates.enter('a')]);
    const waiting = [1, 2, 3].map(async (number) => {
      const leave = await gates.enter('a');
      order.push(number);
      return leave;
    });
    await turn();
    expect(order).toEqual([]);

    leaves[0]();
    await turn();
    expect(order).toEqual([1]);
    leaves[1]();
    (await waiting[0]!)();
    await turn();
    expect(order).toEqual([1, 2, 3]);
    (await waiting[1]!)();
    (await waiting[2]!)();
    expect(gates.size).toBe(0);
  });

  it('gives a place that is free to those who wait, before newcomers', async () => {
    const gates = new HostGates(1);
    const order: string[] = [];
    const leave = await gates.enter('a');
    const first = gates.enter('a').then((left) => (order.push('first'), left));
    leave();
    const newcomer = gates.enter('a').then((left) => (order.push('newcomer'), left));
    (await first)();
    (await newcomer)();

    expect(order).toEqual(['first', 'newcomer']);
    expect(gates.size).toBe(0);
  });

  it('keeps one host from waiting for another', async () => {
    const gates = new HostGates(1);

    const leaves = await Promise.all([gates.enter('a'), gates.enter('b')]);

    leaves.forEach((leave) => leave());
    expect(gates.size).toBe(0);
  });

  it('counts a place given back twice once', async () => {
    const gates = new HostGates(1);
    const leave = await gates.enter('a');
    leave();
    leave();
    const second = await gates.enter('a');
    let isThird = false;
    const third = gates.enter('a').then((left) => ((isThird = true), left));
    leave();
    await turn();

    expect(isThird).toBe(false);
    second();
    (await third)();
  });

  it('forgets those who give up', async () => {
    const gates = new HostGates(1);
    const leave = await gates.enter('a');
    const controller = new AbortController();
    const given = gates.enter('a', controller.signal);
    const next = gates.enter('a');
    controller.abort(new Error('enough'));

    await expect(given).rejects.toThrow('enough');
    await expect(gates.enter('a', controller.signal)).rejects.toThrow('enough');
    leave();
    (await next)();
    expect(gates.size).toBe(0);
  });
});

describe('1,500 users and a token endpoint that hangs', () => {
  let server: Server;
  let baseUrl: string;
  const held: ServerResponse[] = [];
  let sockets = 0;
  let most = 0;

  beforeEach(async () => {
    held.length = most = sockets = 0;
    server = createServer((_req, res) => held.push(res)).on('connection', (socket) => {
      most = Math.max(most, (sockets += 1));
      socket.on('close', () => (sockets -= 1));
    });
    server.listen({ port: 0, host: '127.0.0.1', backlog: 2_000 });
    await once(server, 'listening');
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const clientOf = (clock = systemClock): TokenClient =>
    new TokenClient(parseConfiguration({ clientID: '3MVG9__fake__', baseUrl }), baseUrl, clock);
  const reached = async (count: number): Promise<void> => {
    while (held.length < count) await turn();
  };

  it('have 64 requests under way at once, and each gets an answer in turn', async () => {
    const answers = Array.from({ length: 1_500 }, (_unused, user) =>
      clientOf().refreshTokenGrant(`__fake_token_${user}__`, { isSure: true }),
    );
    const settled = Promise.allSettled(answers);
    await reached(64);
    for (let look = 0; look < 50; look++) await turn();
    expect(held).toHaveLength(64);

    for (let answered = 0; answered < 1_500; answered++) {
      await reached(answered + 1);
      expect(held.length - answered).toBeLessThanOrEqual(64);
      held[answered]!.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
    }
    const outcomes = await settled;

    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(held).toHaveLength(1_500);
    // A connection is free again a moment after its answer was read, so that the next request can open another.
    expect(most).toBeLessThanOrEqual(2 * 64);
  }, 120_000);

  it('leave a place for a login', async () => {
    const clock = new ManualClock();
    const refreshes = Promise.allSettled(
      Array.from({ length: 70 }, () => clientOf(clock).refreshTokenGrant('__fake_token__')),
    );
    await reached(64);

    const login = clientOf()
      .authorizationCodeGrant({ code: 'a', redirectURI: 'http://localhost/', codeVerifier: 'b' })
      .catch((error: unknown) => error);
    await reached(65);
    held[64]!.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');

    expect(await login).toMatchObject({ error: 'invalid_grant' });
    server.closeAllConnections();
    clock.advanceSeconds(31);
    await refreshes;
  });

  it('learn that they were not sent, if no place was free in time', async () => {
    const clock = new ManualClock();
    const places = await Promise.all(Array.from({ length: 64 }, () => clientOf(clock).takePlace()));
    const late = clientOf(clock).refreshTokenGrant('__fake_token__');
    clock.advanceSeconds(30);

    await expect(late).rejects.toMatchObject({ code: 'ERR_SALESFORCE_UNREACHABLE', status: 503 });
    expect(held).toHaveLength(0);
    places.forEach((leave) => leave());
    expect(clock.pending).toBe(0);
  });

  it('send by a place that was taken before, while all others are taken', async () => {
    const places = await Promise.all(Array.from({ length: 64 }, () => clientOf().takePlace()));
    const answer = clientOf().refreshTokenGrant('__fake_token__', { isSure: true }, places[0]);
    await reached(1);
    held[0]!.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');

    await expect(answer).rejects.toMatchObject({ error: 'invalid_grant' });
    places.forEach((leave) => leave());
  });

  it('stop waiting when the application closes', async () => {
    const places = await Promise.all(Array.from({ length: 64 }, () => clientOf().takePlace()));
    const closing = new AbortController();
    const waiting = clientOf().takePlace(closing.signal);
    closing.abort(new Error('closing'));

    await expect(waiting).rejects.toThrow('closing');
    places.forEach((leave) => leave());
  });

  it('leave nothing behind at the signal of the application', async () => {
    const closing = new AbortController();
    const before = heldBy(closing.signal);

    for (let time = 0; time < 100; time++) (await clientOf().takePlace(closing.signal))();
    const places = await Promise.all(Array.from({ length: 64 }, () => clientOf().takePlace(closing.signal)));
    const waiting = Array.from({ length: 10 }, () => clientOf().takePlace(closing.signal));
    await turn();
    expect(getEventListeners(closing.signal, 'abort')).toHaveLength(10);
    places.forEach((leave) => leave());
    (await Promise.all(waiting)).forEach((leave) => leave());

    expect(getEventListeners(closing.signal, 'abort')).toHaveLength(0);
    expect(heldBy(closing.signal)).toBe(before);
  });

  it('take no place for an application that has closed', async () => {
    const places = await Promise.all(Array.from({ length: 63 }, () => clientOf().takePlace()));

    await expect(clientOf().takePlace(AbortSignal.abort(new Error('closed')))).rejects.toThrow('closed');

    clientOf().takeFreePlace()();
    places.forEach((leave) => leave());
  });
});
