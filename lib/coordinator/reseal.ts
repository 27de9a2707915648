import { keyIdOf, type KeyRing } from '../crypto/key-ring';
import { invalid } from '../options/check';
import type { GrantRecord, Reseal, TokenStore } from '../stores/store';
import { isUnreadable, type GrantCodec } from './codec';
import type { GrantAccess } from './grant-access';

/**
 * How long new tokens are left alone, in milliseconds. A store client may repeat a write whose answer was lost, and the store
 * knows that write by its text.
 */
const untouchedMs = 60_000;

/** How many grants a key has sealed. */
export interface KeyUse {
  /** Id of the key, which says nothing of the key. Undefined for grants that are not encrypted. */
  keyId: string | undefined;
  /** Place of the key in `encryptionKeys`: 0 is the one that encrypts. Undefined for a key that is not there. */
  position: number | undefined;
  /** Grants with tokens that this key has sealed, app tokens included. */
  grants: number;
}

/** What became of the grants. */
export interface ResealCounts {
  /** Sealed with the newest key now. */
  resealed: number;
  /** Sealed with the newest key before. */
  current: number;
  /** Left as they were: in doubt, being refreshed, or refreshed a moment ago. Call it again later. */
  left: number;
  /** Not readable with any of the keys; nothing of them was changed. */
  unreadable: number;
}

/** What counting and resealing work with. */
export interface ResealParts {
  keys: KeyRing | undefined;
  codec: GrantCodec;
  store: TokenStore;
  access: GrantAccess;
}

/** Counts grants by the key that has sealed them. Configured keys come first, also those without grants. */
export async function countKeys({ keys, store, access }: ResealParts): Promise<KeyUse[]> {
  const counts = new Map<string | undefined, number>((keys?.ids ?? []).map((id) => [id, 0]));
  for await (const record of access.each('list', () => store.list())) {
    for (const id of new Set(await keyIdsOf(record))) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return [...counts].map(([keyId, grants]) => {
    const position = keyId === undefined ? -1 : (keys?.ids.indexOf(keyId) ?? -1);
    return { keyId, position: position === -1 ? undefined : position, grants };
  });
}

/**
 * Seals all grants with the newest key, one after the other. A grant that changes meanwhile is left as it is.
 *
 * @throws SalesforceOptionError without `encryptionKeys`, or with a store that cannot do it;
 *   SalesforceAuthError `ERR_SALESFORCE_TOKEN_STORE`: what was sealed by then stays so
 */
export async function resealAll(parts: ResealParts, signal?: AbortSignal): Promise<ResealCounts> {
  const { keys, store, access } = parts;
  if (!keys) throw invalid('encryptionKeys', 'set for tokens.reseal(), which encrypts with the first of them');
  if (!store.reseal) throw invalid('store', 'one with the method reseal(), for tokens.reseal()');
  const counts: ResealCounts = { resealed: 0, current: 0, left: 0, unreadable: 0 };
  for await (const record of access.each('list', () => store.list())) {
    if (signal?.aborted) break;
    counts[await resealOne(parts, keys, record)] += 1;
  }
  return counts;
}

async function resealOne(
  { codec, store, access }: ResealParts,
  { ids: [newest] }: KeyRing,
  record: GrantRecord,
): Promise<keyof ResealCounts> {
  if ((await keyIdsOf(record)).every((id) => id === newest)) return 'current';
  const { grantId, generation, version, payload, spare, state, leaseInMs, tokensAgeMs } = record;
  const isAtRest = (state === 'idle' || state === 'ended') && leaseInMs === 0;
  if (!isAtRest || tokensAgeMs < untouchedMs) return 'left';
  let to: Reseal['to'];
  try {
    const [tokens, spareTokens] = [await codec.decode(record), await codec.decodeSpare(record)];
    to = {
      payload: await codec.encode(grantId, tokens),
      spare: spareTokens && (await codec.encode(grantId, spareTokens)),
    };
  } catch (error) {
    if (isUnreadable(error)) return 'unreadable';
    throw error;
  }
  const change: Reseal = { generation, version, from: { payload, spare }, to };
  const isDone = await access.call('reseal', () => store.reseal?.(grantId, change) ?? Promise.resolve(false));
  return isDone ? 'resealed' : 'left';
}

function keyIdsOf({ payload, spare }: GrantRecord): Promise<(string | undefined)[]> {
  return Promise.all([payload, ...(spare === undefined ? [] : [spare])].map(keyIdOf));
}
