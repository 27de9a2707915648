import { salesforceFetch } from '../../lib/client/fetch';
import { requiresLogin } from '../../lib/errors';
import { Laboratory } from '../coordinator/laboratory';
import type { Trouble } from '../schedules/network';
import type { SharedStore } from '../schedules/world';

const html = (status: number): Trouble['reply'] => ({
  status,
  headers: {},
  text: '<html><body>Sorry</body></html>',
  contentType: 'text/html',
});

/** What the token and the introspection endpoint do during an outage. */
const shapes: Readonly<Record<string, Trouble>> = {
  'answers 500': { reply: html(500)! },
  'answers 502': { reply: html(502)! },
  'answers 504': { reply: html(504)! },
  'answers 503': { reply: html(503)! },
  'answers 503 by a proxy that was cut off': {
    reply: {
      status: 503,
      headers: {},
      text: 'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
      contentType: 'text/plain',
    },
  },
  'answers 429': { reply: html(429)! },
  'answers 407': { reply: html(407)! },
  'answers 521': { reply: html(521)! },
  'answers 400 without an OAuth error': { reply: { status: 400, headers: {}, json: {} } },
  'a web page with 200': { reply: html(200)! },
  'a 202 without tokens': { reply: { status: 202, headers: {}, text: '' } },
  'an empty 200': { reply: { status: 200, headers: {}, text: '' } },
  'half a reply': { reply: { status: 200, headers: {}, text: '{"access_token":"00D' } },
  'drops the connection': { isDropped: true },
  'answers nothing': {},
  'refuses the connection': { code: 'ECONNREFUSED' },
  'cannot be resolved for now': { code: 'EAI_AGAIN' },
};

/** Shapes that say that the request was not worked on. */
const turnedAway = [
  'answers 503',
  'answers 429',
  'answers 407',
  'answers 400 without an OAuth error',
  'refuses the connection',
];
const isTurnedAway = (shape: string): boolean => turnedAway.includes(shape) || shape === 'cannot be resolved for now';

export interface Cell {
  shape: string;
  /** Rotation as the process knows it: `unknown` before the first refresh, while it is off. */
  rotation: 'on' | 'off' | 'unknown';
  client: 'confidential' | 'public';
  isCarriedOut: boolean;
}

export const cells: readonly Cell[] = Object.keys(shapes).flatMap((shape) =>
  (['on', 'off', 'unknown'] as const).flatMap((rotation) =>
    (['confidential', 'public'] as const).flatMap((client) =>
      (isTurnedAway(shape) ? [false] : [false, true]).map((isCarriedOut) => ({
        shape,
        rotation,
        client,
        isCarriedOut,
      })),
    ),
  ),
);

export interface Outcome {
  /** Users sent to a login while their access token worked. */
  loggedOut: number;
  /** Logins after the access token was over. */
  logins: number;
  /** Presentations of a spent refresh token, or of one that is being presented. */
  wrong: number;
  /** Presentations during the outage. */
  presented: number;
}

/** What has to come of it (see docs/internals/outages.md). */
export function promised({
  shape,
  rotation,
  client,
  isCarriedOut,
}: Cell): Pick<Outcome, 'loggedOut' | 'logins' | 'wrong'> {
  const isLost = !isTurnedAway(shape);
  const isSpent = rotation === 'on' && isCarriedOut;
  const cannotBeTold = client === 'public' && rotation !== 'off' && isLost;
  return { loggedOut: 0, logins: isSpent || cannotBeTold ? 1 : 0, wrong: 0 };
}

const minute = 60_000;

/** One user, an hour of outage when a refresh is due, and an hour after it, at whose end the access token is over. */
export async function play(cell: Cell, store: SharedStore): Promise<Outcome> {
  const lab = await Laboratory.open({ isPublic: cell.client === 'public', rotates: cell.rotation === 'on' }, store);
  const { world, session } = lab;
  if (cell.rotation !== 'unknown') await lab.getOther();
  const outcome: Outcome = { loggedOut: 0, logins: 0, wrong: 0, presented: 0 };
  let isOver = false;
  const use = async (): Promise<void> => {
    const { core } = lab.process();
    const { grantId, generation } = session;
    const asked = lab.process().run(() =>
      salesforceFetch(core.coordinator, { grantId, generation }, '/services/data/v62.0/limits').then(
        ({ status }) => (status === 200 ? undefined : 'an error'),
        (error: unknown) => (requiresLogin(error) ? 'login' : 'an error'),
      ),
    );
    await world.elapse(minute);
    const answer = await asked;
    if (answer === 'login') outcome[isOver ? 'logins' : 'loggedOut'] += 1;
    else if (answer !== undefined && !isOver) outcome.loggedOut += 1;
  };
  // Opaque tokens end when they have been idle, so the session is in use; the refresh falls due after 90 to 108 minutes.
  for (let elapsed = 0; elapsed < 85; elapsed++) await use();
  const trouble = shapes[cell.shape]!;
  world.trouble = (_url, form) => {
    if (form.has('refresh_token')) outcome.presented += 1;
    return { ...trouble, isCarriedOut: cell.isCarriedOut };
  };
  for (let elapsed = 0; elapsed < 60; elapsed++) await use();
  world.trouble = undefined;
  for (let elapsed = 0; elapsed < 60; elapsed++) await use();
  isOver = true;
  world.salesforce.provider.grants.expireAccessTokens({});
  for (let elapsed = 0; elapsed < 15 && outcome.logins === 0; elapsed++) await use();
  outcome.wrong = world.salesforce.provider.presentations.violations.length;
  return outcome;
}
