import type { ClaimOutcome, GrantRecord } from '../../stores/store';
import { endWithoutUse } from '../background';
import type { RefreshDeps } from './deps';

/** Asks the store for the claim of a grant. If no answer comes in time, the claim is given back: nothing is presented under it. */
export function askForClaim(
  { grantId, generation, version }: GrantRecord,
  given: { owner: string; leaseMs: number; refused: string | undefined },
  { access, background, store }: RefreshDeps,
): Promise<ClaimOutcome> {
  const { owner, leaseMs, refused } = given;
  const claim = { generation, version, owner, leaseMs, ...(refused !== undefined && { refused }) };
  const giveBack = (): void => background.giveBack({ grantId, generation, version }, owner);
  const late = ({ outcome }: ClaimOutcome): Promise<void> => {
    // The answer came after the last request had stopped waiting.
    if (outcome === 'claimed' || outcome === 'resolve') giveBack();
    return Promise.resolve();
  };
  return access
    .call('claim', () => store.claim(grantId, claim), late)
    .catch((error: unknown) => {
      // The store may have marked the grant all the same.
      giveBack();
      throw error;
    });
}

/** Releases a claim that nothing is presented under. */
export async function returnClaim(record: GrantRecord, owner: string, { background }: RefreshDeps): Promise<void> {
  await background.releaseClaim({ grantId: record.grantId, owner, record }, endWithoutUse(record));
}
