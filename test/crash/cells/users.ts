import type { Step } from '../scene';
import { insist, type Cell } from './cell';

const steps: readonly Step[] = ['S1', 'S2', 'S3', 'S4', 'S5', 'S6'];

/** The user logs out in the other process. When that is answered, nothing of the grant lives at the provider. */
const loggedOut = steps.map((step): Cell => ({
  row: 'Logout elsewhere',
  step,
  promised: 'logged out',
  async run(scene) {
    const { pending, proceed } = await scene.stopAt(step);
    const tombstone = scene.b.worker.heard('grant.loggedOut', scene.b.id);
    const leaving = scene.ask(scene.b, '/auth/salesforce/logout', scene.user, { method: 'POST' });
    await tombstone;
    proceed();
    const { status } = await leaving;
    insist(status === 204, `The logout was answered ${status}.`);
    const left = scene.emulator.liveTokens({ userId: scene.user.userId });
    insist(left.refreshTokens + left.accessTokens === 0, `After the logout there were ${JSON.stringify(left)}.`);
    await pending;
    insist(scene.live() === 0, 'The refresh has brought the grant back.');
  },
}));

/** The user logs in anew in the other process: those tokens stay, and what the refresh obtains is revoked. */
const loggedIn = steps.map((step): Cell => ({
  row: 'New login elsewhere',
  step,
  promised: 'nothing lost',
  async run(scene) {
    const { pending, proceed } = await scene.stopAt(step);
    await scene.logIn(scene.user);
    scene.user.logins = 0;
    proceed();
    const { status } = await pending;
    // At S6 it has its new token already, and the login has revoked that: the next request gets the other one.
    insist(status === 200 || step === 'S6', `The request that waited was answered ${status}.`);
  },
}));

const clientGone: Cell = {
  row: 'Client gone while refreshing',
  step: 'S3',
  promised: 'nothing lost',
  async run(scene) {
    scene.expire();
    const held = scene.fault({ on: 'refresh', kind: 'hold' });
    const leaving = new AbortController();
    const pending = scene.ask(scene.a, '/limits', scene.user, { signal: leaving.signal });
    await held.reached;
    leaving.abort();
    await pending;
    const stored = scene.a.worker.heard('refresh.succeeded', scene.a.id);
    held.release();
    await stored;
    insist((await scene.ask(scene.b)).status === 200 && scene.presented === 1, 'The refresh was for nothing.');
  },
};

const dayMs = 24 * 60 * 60 * 1000;

const clocks = [1, -1].map((days): Cell => ({
  row: `Clock of one process ${days > 0 ? '+' : '−'}1 day`,
  step: 'S3',
  promised: 'nothing lost',
  async run(scene) {
    const { worker } = scene.a;
    await worker.call('jump', { ms: days * dayMs });
    for (let round = 1; round <= 2; round++) {
      scene.expire();
      const statuses = [(await scene.ask(scene.a)).status, (await scene.ask(scene.b)).status];
      insist(statuses.join() === '200,200', `Answered ${statuses.join()}.`);
      insist(scene.presented === round, `Presented ${scene.presented} times in ${round} rounds.`);
    }
    // And once more in the middle of a refresh.
    const { pending, proceed } = await scene.stopAt('S3');
    await worker.call('jump', { ms: 0 });
    proceed();
    insist((await pending).status === 200 && scene.presented === 3, 'The jump was noticed.');
  },
}));

const unknownSchema: Cell = {
  row: 'Record of an unknown schema',
  step: 'S0',
  promised: 'nothing lost',
  async run(scene) {
    const grantId = await scene.grantId();
    await scene.store.setSchema(grantId, 99);
    const before = await scene.store.contentOf(grantId);
    scene.expire();
    const answers = [await scene.ask(scene.a), await scene.ask(scene.b)];
    insist(
      answers.every(({ status, error }) => status === 503 && error === 'ERR_SALESFORCE_TOKEN_STORE'),
      `Answered ${JSON.stringify(answers)}.`,
    );
    insist((await scene.store.contentOf(grantId)) === before, 'The record was changed.');
    insist(scene.presented === 0, 'It was presented.');
    await scene.store.setSchema(grantId, 2);
  },
};

export const userCells: readonly Cell[] = [...loggedOut, ...loggedIn, clientGone, ...clocks, unknownSchema];
