import type { LostAnswerPolicy } from '../../../lib/coordinator/settings';
import { insist, isInDoubt, type Cell } from './cell';

/** Long enough for a few looks, short enough to be waited for. */
const inDoubtMs = 2_500;

/** How the answer of a refresh is lost, for the tables. */
const losses = [
  { when: 'before', step: 'S3' },
  { when: 'after', step: 'S4' },
] as const;

/** A client without a secret: introspection answers `active: false` whatever is true, and so proves nothing. */
const publicClients = (['wait', 'login', 'retry'] as const).flatMap((onLostAnswer) =>
  losses.map(({ when, step }): Cell => {
    // The one case in which asking again was worth it.
    const isWon = onLostAnswer === 'retry' && when === 'before';
    return {
      row: `Answer lost, public client, ${onLostAnswer}`,
      step,
      promised: isWon ? 'nothing lost' : 'one clean login',
      // What was presented twice is revoked as stolen, with all that came of it.
      lostTokens: when === 'after' && onLostAnswer !== 'retry' ? 1 : 0,
      retries: when === 'after' && onLostAnswer === 'retry' ? 1 : 0,
      options: { isPublic: true, onLostAnswer, inDoubtMs },
      async run(scene) {
        scene.expire();
        scene.fault({ on: 'refresh', kind: 'drop', when });
        const answer = await scene.ask(scene.a);
        insist(isInDoubt(answer), `Answered ${answer.status} ${String(answer.error)}.`);
        const end = await scene.askUntil(({ status }) => status !== 503);
        insist(end.status === (isWon ? 200 : 401), `Ended with ${end.status}.`);
        if (onLostAnswer !== 'retry') insist(scene.presented === 1, `Presented ${scene.presented} times.`);
      },
    };
  }),
);

/** A client with a secret while introspection is down. Time in which Salesforce cannot be asked does not count, so no login is asked for. */
const untold = (['wait', 'login', 'retry'] as const).map((onLostAnswer: LostAnswerPolicy): Cell => ({
  row: `Answer lost, introspection down, ${onLostAnswer}`,
  step: 'S3',
  promised: 'nothing lost',
  options: { onLostAnswer, inDoubtMs: 1 },
  async run(scene) {
    scene.expire();
    const down = scene.fault({ on: 'introspect', kind: 'status', status: 500, times: Infinity });
    scene.fault({ on: 'refresh', kind: 'drop' });
    insist(isInDoubt(await scene.ask(scene.a)), 'It was not in doubt.');
    const looked = await scene.askUntil(({ status }) => status !== 503 || down.hits > 0);
    insist(looked.status === 503, `Answered ${looked.status} while introspection was down.`);
    insist(scene.presented === 1, `Presented ${scene.presented} times.`);
    down.remove();
    const end = await scene.askUntil(({ status }) => status !== 503);
    insist(end.status === 200, `Ended with ${end.status}.`);
  },
}));

/** The same, and introspection comes back before the doubt is over. */
const toldInTime = losses.map(({ when, step }): Cell => ({
  row: 'Answer lost, introspection back in time, wait',
  step,
  promised: when === 'before' ? 'nothing lost' : 'one clean login',
  lostTokens: when === 'after' ? 1 : 0,
  options: { onLostAnswer: 'wait', inDoubtMs: 6_000 },
  async run(scene) {
    scene.expire();
    const down = scene.fault({ on: 'introspect', kind: 'status', status: 500, times: 1 });
    scene.fault({ on: 'refresh', kind: 'drop', when });
    insist(isInDoubt(await scene.ask(scene.a)), 'It was not in doubt.');
    await scene.askUntil(({ status }) => status !== 503 || down.hits > 0);
  },
}));

export const policyCells: readonly Cell[] = [...publicClients, ...untold, ...toldInTime];
