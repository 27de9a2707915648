import type { Scene } from '../scene';
import { insist, isInDoubt, type Cell } from './cell';

const outages = {
  'Store down': { begin: (scene: Scene) => scene.store.goDown(), end: (scene: Scene) => scene.store.comeBack() },
  'Store frozen': {
    begin: (scene: Scene) => scene.store.freeze(),
    end: (scene: Scene) => scene.store.thaw(),
  },
};

const outageCells = Object.entries(outages).flatMap(([row, { begin, end }]): Cell[] => [
  {
    row,
    step: 'S0',
    promised: 'nothing lost',
    options: { ownStore: true, storeTimeoutMs: 4_000 },
    async run(scene) {
      // So that the process knows a live token.
      await scene.useAgain(scene.a);
      await begin(scene);
      const live = await scene.ask(scene.a, '/token');
      scene.expire();
      const asked = scene.ask(scene.a);
      const others: number[] = [];
      while (others.length < 10) others.push((await Promise.race([scene.ask(scene.a, '/up'), asked])).status);
      const stale = await asked;
      await end(scene);
      const isHeldUp = row === 'Store frozen' && others.some((status) => status !== 200);
      insist(!isHeldUp, 'A request that needs no store waited for the store.');
      insist(live.status === 200, `With a live token it answered ${live.status} ${String(live.error)}.`);
      insist(stale.status === 503 && stale.retryAfter !== null, `With a stale one it answered ${stale.status}.`);
      insist(scene.presented === 0, 'It was presented without a claim.');
    },
  },
  ...(['S3', 'S4'] as const).map((step): Cell => ({
    row,
    step,
    promised: 'nothing lost',
    options: { ownStore: true, storeTimeoutMs: 4_000, waitMs: 8_000 },
    async run(scene) {
      const { pending, proceed } = await scene.stopAt(step);
      const failed = scene.a.worker.heard('store.failed', scene.a.id);
      await begin(scene);
      proceed();
      await failed;
      // New tokens are there and not stored, so nobody gets them.
      const { status, retryAfter } = await pending;
      insist(status === 503 && retryAfter !== null, `Answered ${status} before the tokens were stored.`);
      const stored = scene.a.worker.heard('refresh.succeeded', scene.a.id);
      await end(scene);
      await stored;
      insist((await scene.ask(scene.a)).status === 200 && scene.presented === 1, 'The new tokens are lost.');
    },
  })),
]);

const emptied: readonly Cell[] = [
  {
    row: 'Store restarted empty',
    step: 'S0',
    promised: 'one clean login',
    // The store knew them alone, so nobody can revoke them.
    lostTokens: 1,
    takesAll: true,
    options: { ownStore: true },
    run: (scene) => scene.store.restartEmpty(scene.client.clientID),
  },
  {
    row: 'Store restarted empty',
    step: 'S4',
    promised: 'one clean login',
    takesAll: true,
    options: { ownStore: true },
    async run(scene) {
      const { pending, proceed } = await scene.stopAt('S4');
      await scene.store.restartEmpty(scene.client.clientID);
      proceed();
      await pending;
    },
  },
];

/** A replica is promoted. What it did not get is lost, whatever the master had answered. */
const failovers: readonly Cell[] = [
  {
    row: 'Failover of Redis, nothing lost',
    step: 'S7',
    promised: 'nothing lost',
    store: 'Redis',
    options: { ownStore: true },
    async run(scene) {
      const replica = await scene.store.addReplica!();
      await scene.stopAt('S7');
      await replica.caughtUp();
      await replica.promote();
      scene.expire();
      insist(isInDoubt(await scene.askUntil(answered)), 'It was presented unseen.');
    },
  },
  {
    row: 'Failover of Redis loses the commit',
    step: 'S6',
    promised: 'one clean login',
    lostTokens: 1,
    store: 'Redis',
    options: { ownStore: true, leaseMs: 1_500, httpTimeoutMs: 4_000 },
    async run(scene) {
      const replica = await scene.store.addReplica!();
      const { pending, proceed } = await scene.stopAt('S4');
      await replica.caughtUp();
      replica.fallBehind();
      proceed();
      await pending;
      await replica.promote();
      scene.expire();
    },
  },
  {
    row: 'Failover of Redis loses claim and commit',
    step: 'S6',
    promised: 'one clean login',
    lostTokens: 1,
    store: 'Redis',
    options: { ownStore: true },
    async run(scene) {
      const replica = await scene.store.addReplica!();
      replica.fallBehind();
      await scene.stopAt('S7');
      await replica.promote();
      scene.expire();
      insist(isInDoubt(await scene.askUntil(answered)), 'It was presented unseen.');
    },
  },
  ...(
    [
      ['PostgreSQL', 'Failover to an asynchronous standby loses claim and commit; asked by a process that saw them'],
      ['SQLite', 'An old copy of the file is put back; asked by a process that saw what is missing'],
    ] as const
  ).map(([store, row]): Cell => ({
    row,
    step: 'S6',
    promised: 'one clean login',
    lostTokens: 1,
    store,
    async run(scene) {
      const { restore } = await scene.store.snapshot!(scene.client.clientID, scene.user.userId);
      await scene.stopAt('S7');
      await restore();
      scene.expire();
      insist(isInDoubt(await scene.ask(scene.a)), 'It was presented unseen.');
    },
  })),
];

/** Anything but the moment in which the store's client finds its new server. */
function answered({ error }: { error: string | undefined }): boolean {
  return error !== 'ERR_SALESFORCE_TOKEN_STORE';
}

export const storeCells: readonly Cell[] = [...outageCells, ...emptied, ...failovers];
