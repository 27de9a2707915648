import type { Scene, Step, Stopped } from '../scene';
import { insist, isInDoubt, type Cell, type Promised } from './cell';

/** A claim holds for half a lease longer than a request may take: long enough to see that a process was frozen. */
const shortClaim = { leaseMs: 3_000, httpTimeoutMs: 3_000 };

const steps: readonly Step[] = ['S0', 'S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7'];

/** Where the provider has rotated and the store does not know it yet. */
const isBetween = (step: Step): boolean => step === 'S4' || step === 'S5';

/** Ends a process without a word. The provider has not worked on the request at S3, and will not. */
const killed = steps.map((step): Cell => ({
  row: 'SIGKILL',
  step,
  promised: isBetween(step) ? 'one clean login' : 'nothing lost',
  options: shortClaim,
  lostTokens: isBetween(step) ? 1 : 0,
  async run(scene) {
    const { pending, proceed } = step === 'S3' ? await hung(scene) : await scene.stopAt(step);
    await scene.a.worker.end();
    // At S2 the rest of the request died with the process: it never arrives.
    if (step === 'S4') proceed();
    await pending;
  },
}));

/** A deployment: the process finishes what it has begun, and answers it. */
const terminated = steps.map((step): Cell => ({
  row: 'SIGTERM and close()',
  step,
  promised: 'nothing lost',
  async run(scene) {
    const { worker } = scene.a;
    const { pending, proceed } = await scene.stopAt(step);
    const closing = worker.heard('closing');
    worker.signal('SIGTERM');
    await closing;
    proceed();
    const { status, error } = await pending;
    insist(status === 200, `The request under way was answered ${status} ${String(error)}.`);
    await worker.exited;
    insist(worker.process.exitCode === 0, `The process ended with ${String(worker.process.exitCode)}.`);
    insist((await scene.ask(scene.b)).status === 200, 'The other process does not go on.');
    insist(scene.presented === 1, `There were ${scene.presented} refreshes.`);
  },
}));

/** The ways a process can stand still: it is stopped, or its event loop is blocked. */
const ways = {
  'SIGSTOP past the lease, then SIGCONT': {
    pause: (scene: Scene) => {
      scene.a.worker.signal('SIGSTOP');
      return Promise.resolve();
    },
    go: (scene: Scene) => scene.a.worker.signal('SIGCONT'),
  },
  'Event loop blocked past the lease': {
    pause: (scene: Scene) => scene.a.worker.block(),
    go: (scene: Scene) => scene.a.worker.unblock(),
  },
};

/** The other process finds the lease run out; the one that stood still wakes before anybody may decide. */
const paused = Object.entries(ways).flatMap(([row, { pause, go }]) =>
  steps.map((step): Cell => ({
    row,
    step,
    promised: 'nothing lost',
    // What is decided by the commit of the paused process has all the time in the world.
    options: { ...shortClaim, drainMs: step === 'S1' ? 300 : 60_000 },
    async run(scene) {
      const { pending, proceed } = await scene.stopAt(step);
      await pause(scene);
      // The claim outlives the time limit of the request, so Salesforce goes on meanwhile: the answer is there at the wakening.
      proceed();
      const isOver = step === 'S0' || step === 'S6' || step === 'S7';
      if (isOver) await scene.useAgain();
      else await scene.askUntil(isInDoubt);
      go(scene);
      await pending;
    },
  })),
);

/**
 * The pause outlasts lease and drain, and the other process has gone on alone. If Salesforce has rotated the token (S4, S5), that
 * process finds the grant spent, and its session ends. It was the only holder, so the grant is gone, and the new login begins
 * another one. The request that waited belongs to the session that has ended, and so it hears that its login has ended. What it
 * brought is revoked, and the new login stays as it is.
 */
const pausedLong = (['S0', 'S1', 'connecting', 'S4', 'S5'] as const).map((step): Cell => {
  const promised: Promised = isBetween(step) ? 'one clean login' : 'nothing lost';
  return {
    row: 'SIGSTOP past lease and drain, then SIGCONT',
    step,
    promised,
    // The time that the pause takes on a busy machine is not to end the patience of the request, nor its wait for the store.
    options: { ...shortClaim, waitMs: 600_000, storeTimeoutMs: 300_000 },
    async run(scene) {
      const { pending, proceed } = await scene.stopAt(step);
      scene.a.worker.signal('SIGSTOP');
      proceed();
      await scene.useAgain();
      scene.a.worker.signal('SIGCONT');
      const { status } = await pending;
      insist(status === (isBetween(step) ? 401 : 200), `The request that waited was answered ${status}.`);
      for (const app of [scene.a, scene.b]) {
        const after = await scene.ask(app);
        insist(after.status === 200, `The user is answered ${after.status} ${String(after.error)} after it.`);
      }
      insist(scene.user.logins === (isBetween(step) ? 1 : 0), `There were ${scene.user.logins} logins.`);
    },
  };
});

/** The time limit of the request fires before the answer is read, which is in the socket by then. */
const frozen = (['S3', 'S4'] as const).map((step): Cell => ({
  row: 'Frozen for longer than httpTimeoutMs',
  step,
  promised: 'nothing lost',
  options: { httpTimeoutMs: 5_000, leaseMs: 12_000, drainMs: 60_000, waitMs: 600_000 },
  async run(scene) {
    const { pending, proceed } = await scene.stopAt(step);
    scene.a.worker.signal('SIGSTOP');
    proceed();
    // That the lease is over shows that the time limit is over too.
    await scene.askUntil(isInDoubt);
    scene.a.worker.signal('SIGCONT');
    const { status } = await pending;
    insist(status === 200, `The request that waited was answered ${status}.`);
    insist((await scene.ask(scene.b)).status === 200, 'The other process does not go on.');
    insist(scene.presented === 1, `Presented ${scene.presented} times.`);
  },
}));

const sleepMs = 8 * 60 * 60 * 1000;

/** A suspended machine: nothing runs, and only the wall clock shows afterwards how long that was. */
async function sleep(scene: Scene): Promise<void> {
  await scene.a.worker.call('jump', { ms: sleepMs });
  scene.a.worker.signal('SIGSTOP');
}

/** Tokens that ended in their sleep need a store whose clock went on, which virtual time has: see the tests of the cache. */
const asleep = (['S1', 'S3', 'S4', 'S5'] as const).map((step): Cell => ({
  row: 'Machine asleep for eight hours',
  step,
  promised: 'nothing lost',
  options: { ...shortClaim, drainMs: step === 'S1' ? 300 : 60_000 },
  async run(scene) {
    const { pending, proceed } = await scene.stopAt(step);
    await sleep(scene);
    proceed();
    await scene.askUntil(isInDoubt);
    scene.a.worker.signal('SIGCONT');
    const { status, error } = await pending;
    insist(status === 200 || step === 'S1', `The request that waited was answered ${status} ${String(error)}.`);
  },
}));

/** A request the provider has and never works on. */
async function hung(scene: Scene): Promise<Stopped> {
  scene.expire();
  const hang = scene.fault({ on: 'refresh', kind: 'hang' });
  const pending = scene.ask(scene.a);
  await hang.reached;
  return { pending, proceed: () => undefined };
}

export const processCells: readonly Cell[] = [...killed, ...terminated, ...paused, ...pausedLong, ...frozen, ...asleep];
