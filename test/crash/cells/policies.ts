import type { AmbiguousPolicy } from '../../../lib';
import { insist, isHeld, type Cell } from './cell';

/** Long enough for a few looks, short enough to be waited for. */
const holdMs = 2_500;

/** How the answer of a refresh is lost, for the tables. */
const losses = [
  { when: 'before', step: 'S3' },
  { when: 'after', step: 'S4' },
] as const;

/** A client without a secret: introspection answers `active: false` whatever is true, and so proves nothing. */
const publicClients = (['hold', 'reauth', 'gamble'] as const).flatMap((onAmbiguous) =>
  losses.map(({ when, step }): Cell => {
    // The one case in which asking again was worth it.
    const isWon = onAmbiguous === 'gamble' && when === 'before';
    return {
      row: `Answer lost, public client, ${onAmbiguous}`,
      step,
      promised: isWon ? 'nothing lost' : 'one clean login',
      // What was presented twice is revoked as stolen, with all that came of it.
      lostTokens: when === 'after' && onAmbiguous !== 'gamble' ? 1 : 0,
      spent: when === 'after' && onAmbiguous === 'gamble' ? 1 : 0,
      options: { isPublic: true, onAmbiguous, holdMs },
      async run(scene) {
        scene.expire();
        scene.fault({ on: 'refresh', kind: 'drop', when });
        const answer = await scene.ask(scene.a);
        insist(isHeld(answer), `Answered ${answer.status} ${String(answer.error)}.`);
        const end = await scene.askUntil(({ status }) => status !== 503);
        insist(end.status === (isWon ? 200 : 401), `Ended with ${end.status}.`);
        if (onAmbiguous !== 'gamble') insist(scene.presented === 1, `Presented ${scene.presented} times.`);
      },
    };
  }),
);

/** A client with a secret while introspection is out of order, so that nobody can tell. */
const untold = (['hold', 'reauth', 'gamble'] as const).map((onAmbiguous: AmbiguousPolicy): Cell => ({
  row: `Answer lost, introspection down, ${onAmbiguous}`,
  step: 'S3',
  promised: onAmbiguous === 'gamble' ? 'nothing lost' : 'one clean login',
  options: { onAmbiguous, holdMs },
  async run(scene) {
    scene.expire();
    scene.fault({ on: 'introspect', kind: 'status', status: 500, times: Infinity });
    scene.fault({ on: 'refresh', kind: 'drop' });
    insist(isHeld(await scene.ask(scene.a)), 'It was not held.');
    await scene.askUntil(({ status }) => status !== 503);
  },
}));

/** The same, and introspection comes back before the hold is over. */
const toldInTime = losses.map(({ when, step }): Cell => ({
  row: 'Answer lost, introspection back in time, hold',
  step,
  promised: when === 'before' ? 'nothing lost' : 'one clean login',
  lostTokens: when === 'after' ? 1 : 0,
  options: { onAmbiguous: 'hold', holdMs: 6_000 },
  async run(scene) {
    scene.expire();
    const down = scene.fault({ on: 'introspect', kind: 'status', status: 500, times: 1 });
    scene.fault({ on: 'refresh', kind: 'drop', when });
    insist(isHeld(await scene.ask(scene.a)), 'It was not held.');
    await scene.askUntil(({ status }) => status !== 503 || down.hits > 0);
  },
}));

export const policyCells: readonly Cell[] = [...publicClients, ...untold, ...toldInTime];
