/** @again newest-node legacy-policy */
import { MemoryTokenStore } from '../../lib';
import type { ClientPolicy, Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, onClient, startApp, type TestApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';

interface Process extends TestApp {
  clock: ManualClock;
}

/**
 * Applications that share one store as processes do: each with a clock and a memory of its own, and the store with its
 * own clock as well. Every one of them is logged in as the same user.
 */
async function startProcesses(count: number, policy: Partial<ClientPolicy> = {}) {
  const emulator = await startTestEmulator();
  const storeClock = new ManualClock();
  const store = new MemoryTokenStore({ clock: storeClock });
  const client = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true, ...policy } });
  const processes: Process[] = [];
  for (let index = 0; index < count; index++) {
    const clock = new ManualClock();
    const app = await startApp({
      emulator,
      create: onClient(emulator, client, { store, clock, refresh: { cacheMs: 0 } }),
    });
    processes.push({ ...app, clock });
  }
  const [first, second] = processes as [Process, Process];
  const tab = first.browser();
  await logIn(tab, emulator);
  const { grantId } = (await tab.get('/me')).body as { grantId: string };
  const elapse = (seconds: number): void => {
    storeClock.advanceSeconds(seconds);
    for (const { clock } of processes) clock.advanceSeconds(seconds);
  };
  return { emulator, store, storeClock, processes, first, second, tab, grantId, elapse };
}

function limits(process: Process, grantId: string): Promise<number> {
  return process.salesforce.tokens
    .get(grantId)
    .then((client) => client.fetch('/services/data/v62.0/limits'))
    .then(({ status }) => status);
}

function refreshCount(emulator: Emulator): number {
  return [...emulator.presentations.values()].reduce((sum, count) => sum + count, 0);
}

describe('several processes on one store', () => {
  it('refresh a grant once for all of them', async () => {
    const { emulator, processes, grantId } = await startProcesses(4);
    emulator.expireAccessTokens();
    const all = Promise.all(processes.flatMap((process) => Array.from({ length: 50 }, () => limits(process, grantId))));

    const statuses = await Promise.all(processes.map(({ clock }) => clock.advanceUntil(all)));

    expect(statuses[0]!.every((status) => status === 200)).toBe(true);
    expect(refreshCount(emulator)).toBe(1);
  });

  it('wait for the one that is refreshing, and use its token', async () => {
    const { emulator, first, second, grantId } = await startProcesses(2);
    emulator.expireAccessTokens();
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const mine = limits(first, grantId);
    await held.reached;
    const waits = new Promise((resolve) => second.salesforce.events.once('claim.delayed', resolve));

    const theirs = limits(second, grantId);
    await waits;
    held.release();

    expect(await mine).toBe(200);
    expect(await second.clock.advanceUntil(theirs)).toBe(200);
    expect(refreshCount(emulator)).toBe(1);
  });

  it('lose nothing if one is paused past its lease with the answer on its way', async () => {
    const { emulator, first, second, storeClock, grantId } = await startProcesses(2);
    emulator.expireAccessTokens();
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    const paused = limits(first, grantId);
    await held.reached;
    // The first process's clock stands still: it beats no heart.
    storeClock.advanceSeconds(60);

    await expect(limits(second, grantId)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' });
    held.release();

    expect(await paused).toBe(200);
    expect(await limits(second, grantId)).toBe(200);
    expect(refreshCount(emulator)).toBe(1);
  });

  it('go on if one was killed with its claim before it sent anything', async () => {
    const { emulator, store, second, elapse, grantId } = await startProcesses(2);
    emulator.expireAccessTokens();
    const { generation, version } = (await store.read(grantId))!;
    await store.claim(grantId, { generation, version, owner: 'a process that dies', leaseMs: 15_000 });
    elapse(16);

    await expect(limits(second, grantId)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' });
    elapse(6);

    expect(await limits(second, grantId)).toBe(200);
    expect(refreshCount(emulator)).toBe(1);
  });

  it('leave a grant in doubt whose answer died with a process, and ask for one login', async () => {
    const { emulator, store, second, tab, elapse, grantId } = await startProcesses(2);
    emulator.expireAccessTokens();
    // What a killed process leaves: a claim, a rotation at Salesforce, and nothing in the store.
    const { generation, version, payload } = (await store.read(grantId))!;
    await store.claim(grantId, { generation, version, owner: 'a process that dies', leaseMs: 15_000 });
    const { refreshToken, clientID } = JSON.parse(payload) as { refreshToken: string; clientID: string };
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: clientID,
      client_secret: emulator.clients.find((client) => client.clientID === clientID)!.clientSecret,
    });
    expect((await fetch(`${emulator.url}/services/oauth2/token`, { method: 'POST', body })).status).toBe(200);
    elapse(16);
    await expect(limits(second, grantId)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' });
    elapse(6);

    await expect(limits(second, grantId)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });
    expect(refreshCount(emulator)).toBe(1);
    await logIn(tab, emulator);
    expect(await limits(second, grantId)).toBe(200);
  });

  it('are not harmed by a clock that is a day off', async () => {
    const { emulator, processes, first, second, elapse, grantId } = await startProcesses(2, {
      accessTokenFormat: 'jwt',
    });
    first.clock.jumpMs(24 * 60 * 60 * 1000);
    second.clock.jumpMs(-24 * 60 * 60 * 1000);
    emulator.clock.advanceSeconds(1790);
    elapse(1790);

    for (const process of [...processes, ...processes]) {
      expect(await process.clock.advanceUntil(limits(process, grantId))).toBe(200);
    }

    expect(refreshCount(emulator)).toBe(1);
  });

  it('share one pause after a failure', async () => {
    const { emulator, processes, elapse, grantId } = await startProcesses(3, { expiresInSeconds: 600 });
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 429, retryAfterSeconds: 30, times: Infinity });
    elapse(600);

    for (let round = 0; round < 3; round++) {
      for (const process of processes) {
        await expect(limits(process, grantId)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REFRESH_DELAYED' });
      }
    }

    expect(refreshCount(emulator)).toBe(1);
  });

  it('revoke what a refresh brings in one of them after a logout in another', async () => {
    const { emulator, first, second, grantId } = await startProcesses(2);
    emulator.expireAccessTokens();
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    const refreshing = limits(first, grantId);
    refreshing.catch(() => undefined);
    await held.reached;
    const tombstone = new Promise((resolve) => second.salesforce.events.once('grant.loggedOut', resolve));

    const leaving = second.salesforce.tokens.revoke(grantId);
    await tombstone;
    held.release();

    await expect(refreshing).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });
    await second.clock.advanceUntil(leaving);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('revoke what a refresh brings after a new login, and keep the tokens of the login', async () => {
    const { emulator, first, second, grantId } = await startProcesses(2);
    emulator.expireAccessTokens();
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    const refreshing = limits(first, grantId);
    await held.reached;

    await logIn(second.browser(), emulator);
    held.release();

    expect(await refreshing).toBe(200);
    expect(await limits(second, grantId)).toBe(200);
    for (let turn = 0; emulator.liveTokens().refreshTokens > 1 && turn < 10_000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(emulator.liveTokens().refreshTokens).toBe(1);
  });
});

describe('a store that fails', () => {
  it('keeps all users logged in, and no request gets a token that is not stored', async () => {
    const { emulator, store, first, grantId } = await startProcesses(1);
    emulator.expireAccessTokens();
    let isDown = true;
    const commit = store.commit.bind(store);
    jest
      .spyOn(store, 'commit')
      .mockImplementation((...given) => (isDown ? Promise.reject(new Error('down')) : commit(...given)));
    let isAnswered = false;
    const waiting = limits(first, grantId).finally(() => (isAnswered = true));
    await new Promise((resolve) => first.salesforce.events.once('store.failed', resolve));

    expect(isAnswered).toBe(false);
    isDown = false;

    expect(await first.clock.advanceUntil(waiting)).toBe(200);
    expect(refreshCount(emulator)).toBe(1);
  });

  it('means 503 if this process knows no token, and goes unnoticed if it knows one that works', async () => {
    const { store, first, second, tab, grantId } = await startProcesses(2);
    jest.spyOn(store, 'read').mockRejectedValue(new Error('connection refused'));

    expect((await tab.get('/token')).status).toBe(200);
    await expect(limits(second, grantId)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_TOKEN_STORE', status: 503 });
    expect(first.errors).toEqual([]);
  });
});

describe('close()', () => {
  it('finishes and stores a refresh under way, and starts no other', async () => {
    const { emulator, store, first, grantId } = await startProcesses(1);
    emulator.expireAccessTokens();
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const refreshing = limits(first, grantId);
    await held.reached;
    const before = (await store.read(grantId))!.version;

    const closing = first.salesforce.close();
    held.release();
    await closing;

    expect((await store.read(grantId))!.version).toBe(before + 1);
    expect(await refreshing).toBe(200);
    emulator.expireAccessTokens();
    await expect(limits(first, grantId)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_CLOSED', status: 503 });
    expect(refreshCount(emulator)).toBe(1);
  });
});
