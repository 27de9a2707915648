import { wait } from '../clock';
import type { GrantRecord } from '../stores/store';
import type { TokenSet } from '../token/types';
import { settle, type Flight, type FlightEnd } from './flight';
import type { GrantAccess, OpenGrant } from './grant-access';
import type { CoordinatorParts } from './settings';

/** Longest pause between looks at a store that does not answer. */
const longestPauseMs = 120_000;

/** Asks until the store answers, or this process ends. */
async function askUntilAnswered<T>(
  { clock, revocations }: Pick<CoordinatorParts, 'clock' | 'revocations'>,
  ask: () => Promise<T>,
  then: (answer: T) => Promise<void> | void,
): Promise<void> {
  for (let pauseMs = 1_000; ; pauseMs = Math.min(pauseMs * 4, longestPauseMs)) {
    await wait(clock, pauseMs, revocations.closing);
    let answer: T;
    try {
      answer = await ask();
    } catch {
      if (revocations.closing.aborted) return;
      continue;
    }
    await then(answer);
    return;
  }
}

/**
 * Revokes tokens nobody will use, unless the grant has them.
 *
 * A store that does not answer may well have them, so nothing is revoked before it does: rather a token too many at
 * Salesforce than a user logged out. Resolves after the first look; further ones go on in the background.
 */
export async function revokeUnlessKept(
  grantId: string,
  tokens: TokenSet,
  parts: Pick<CoordinatorParts, 'clock' | 'revocations'>,
  access: GrantAccess,
): Promise<void> {
  const { revocations } = parts;
  const ask = (): Promise<OpenGrant | undefined> => access.open(grantId);
  const then = (now: OpenGrant | undefined): Promise<void> => revocations.revoke(grantId, tokens, now?.tokens);
  let now: OpenGrant | undefined;
  try {
    now = await ask();
  } catch {
    revocations.track(askUntilAnswered(parts, ask, then));
    return;
  }
  await then(now);
}

/**
 * Gives a claim back, and goes on trying in the background where the store does not answer: a claim that is left behind
 * puts the grant in doubt, and a public client has no way to find out.
 */
export async function settleForSure(
  flight: Pick<Flight, 'grantId' | 'owner' | 'record'>,
  end: FlightEnd,
  parts: Pick<CoordinatorParts, 'clock' | 'revocations' | 'store'>,
  access: GrantAccess,
): Promise<boolean> {
  const ask = (): Promise<boolean> => settle(flight, end, parts.store, access);
  try {
    return await ask();
  } catch {
    parts.revocations.track(askUntilAnswered(parts, ask, () => undefined));
    return false;
  }
}

/**
 * Gives back a claim whose answer was lost, if it was made: nothing was presented under it.
 *
 * The store says what it made of the grant: in doubt it stays, where it was in doubt before.
 */
export function giveBackForSure(
  { grantId, generation, version }: GrantRecord,
  owner: string,
  parts: Pick<CoordinatorParts, 'clock' | 'revocations' | 'store'>,
  access: GrantAccess,
): void {
  const ask = async (): Promise<void> => {
    const record = await access.read(grantId);
    if (record?.generation !== generation || record.version !== version) return;
    const state = record.state === 'ambiguous' ? 'ambiguous' : 'idle';
    const end: FlightEnd = { state, backoffMs: 0, errorCode: record.errorCode, failed: false };
    await settle({ grantId, owner, record }, end, parts.store, access);
  };
  const again = (): Promise<void> => askUntilAnswered(parts, ask, () => undefined);
  parts.revocations.track(ask().catch(again));
}

/** Calls `end` once the store says that a grant has ended whose end it did not confirm. */
export function whenEnded(
  { grantId, generation }: GrantRecord,
  parts: Pick<CoordinatorParts, 'clock' | 'revocations'>,
  access: GrantAccess,
  end: () => Promise<void>,
): void {
  const ask = (): Promise<GrantRecord | undefined> => access.read(grantId);
  const then = async (now: GrantRecord | undefined): Promise<void> => {
    if (now?.generation !== generation || now.state === 'gone') await end();
  };
  parts.revocations.track(askUntilAnswered(parts, ask, then));
}
