import type { FaultInjection } from '../../../lib/emulator';
import type { Scene, SceneOptions } from '../scene';
import { insist, isInDoubt, type Cell } from './cell';

/** A refresh meets a fault; what the first answer has to be, and how it ends. */
interface Trouble {
  row: string;
  fault: FaultInjection;
  /** Nobody can tell at first whether the token was spent. Else the request was refused for now. */
  isInDoubtFirst?: boolean;
  options?: SceneOptions;
}

const refresh = { on: 'refresh' } as const;

/** Salesforce has not carried it out. */
const notCarriedOut: readonly Trouble[] = [
  { row: '429 with Retry-After', fault: { ...refresh, kind: 'status', status: 429, retryAfterSeconds: 1 } },
  { row: '503', fault: { ...refresh, kind: 'status', status: 503, retryAfterSeconds: 1 } },
  { row: '500', fault: { ...refresh, kind: 'status', status: 500 }, isInDoubtFirst: true },
  {
    row: 'Hangs past httpTimeoutMs',
    fault: { ...refresh, kind: 'hang' },
    isInDoubtFirst: true,
    options: { httpTimeoutMs: 5_000 },
  },
  { row: 'Socket dropped', fault: { ...refresh, kind: 'drop' }, isInDoubtFirst: true },
  { row: '200 with an empty body', fault: { ...refresh, kind: 'empty' }, isInDoubtFirst: true },
  { row: '200 with HTML', fault: { ...refresh, kind: 'html' }, isInDoubtFirst: true },
  { row: '200 cut off', fault: { ...refresh, kind: 'truncated' }, isInDoubtFirst: true },
  {
    row: 'invalid_grant, already being processed',
    fault: {
      ...refresh,
      kind: 'error',
      error: 'invalid_grant',
      errorDescription: 'token request is already being processed',
    },
    isInDoubtFirst: true,
  },
];

/** Salesforce has rotated, and the new token did not arrive. */
const carriedOut: readonly Trouble[] = [
  { row: '500', fault: { ...refresh, kind: 'status', status: 500, when: 'after' } },
  {
    row: 'Hangs past httpTimeoutMs',
    fault: { ...refresh, kind: 'hang', when: 'after' },
    options: { httpTimeoutMs: 5_000 },
  },
  { row: 'Socket dropped', fault: { ...refresh, kind: 'drop', when: 'after' } },
  { row: '200 with an empty body', fault: { ...refresh, kind: 'empty', when: 'after' } },
  { row: '200 with HTML', fault: { ...refresh, kind: 'html', when: 'after' } },
  { row: '200 cut off', fault: { ...refresh, kind: 'truncated', when: 'after' } },
  { row: '200, JSON cut off', fault: { ...refresh, kind: 'truncated', complete: true, when: 'after' } },
  {
    row: '200 without access_token',
    fault: { ...refresh, kind: 'reply', change: ({ access_token: _, ...rest }) => rest },
  },
];

async function meet(scene: Scene, { fault, isInDoubtFirst }: Trouble): Promise<void> {
  scene.expire();
  scene.fault(fault);
  const answer = await scene.ask(scene.a);
  insist(answer.status === 503 && answer.retryAfter !== null, `Answered ${answer.status} ${String(answer.error)}.`);
  insist(isInDoubt(answer) === isInDoubtFirst, `Answered ${String(answer.error)}.`);
  insist(scene.presented === 1, `Presented ${scene.presented} times.`);
}

const refused: Cell = {
  row: 'Provider: connection refused',
  step: 'S1',
  promised: 'nothing lost',
  async run(scene) {
    scene.expire();
    await scene.line.cut();
    const answers = await Promise.all([scene.ask(scene.a), scene.ask(scene.b)]);
    insist(
      answers.every(({ status }) => status === 503),
      `Answered ${JSON.stringify(answers)}.`,
    );
    insist(scene.presented === 0, 'It was presented.');
    await scene.line.mend();
  },
};

const ended: Cell = {
  row: 'Provider: invalid_grant, for any other reason',
  step: 'S3',
  promised: 'one clean login',
  async run(scene) {
    scene.emulator.revokeRefreshTokens({ userId: scene.user.userId });
    const { status } = await scene.ask(scene.a);
    insist(status === 401, `Answered ${status}.`);
  },
};

const adopted: Cell = {
  row: 'Provider: invalid_grant, and newer tokens are stored',
  step: 'S3',
  promised: 'nothing lost',
  async run(scene) {
    const { pending, proceed } = await scene.stopAt('S3');
    // The login replaces the tokens, and an administrator has ended the old ones.
    scene.emulator.revokeRefreshTokens({ userId: scene.user.userId });
    await scene.logIn(scene.user);
    scene.user.logins = 0;
    proceed();
    const { status } = await pending;
    insist(status === 200, `Answered ${status}.`);
  },
};

export const providerCells: readonly Cell[] = [
  refused,
  ...notCarriedOut.map((trouble): Cell => ({
    row: `Provider: ${trouble.row}`,
    step: 'S3',
    promised: 'nothing lost',
    ...(trouble.options ? { options: trouble.options } : {}),
    run: (scene) => meet(scene, { isInDoubtFirst: false, ...trouble }),
  })),
  ...carriedOut.map((trouble): Cell => ({
    row: `Provider: ${trouble.row}`,
    step: 'S4',
    promised: 'one clean login',
    lostTokens: 1,
    ...(trouble.options ? { options: trouble.options } : {}),
    run: (scene) => meet(scene, { isInDoubtFirst: true, ...trouble }),
  })),
  ended,
  adopted,
];
