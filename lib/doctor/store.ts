import { randomUUID } from 'node:crypto';
import { within, type Clock } from '../clock';
import type { ParsedOptions } from '../middleware/options';
import { noAnswer, noAnswerWithin, reasonOf, storeFailureOf, type StoreFailure } from '../stores/failure';
import type { TokenStore } from '../stores/store';
import { fromStore, type DiagnoseOptions, type Finding } from './findings';

/** A store that takes longer counts as a store that does not answer. */
const storeTimeoutMs = 5_000;

/** How long what the doctor writes lives, in milliseconds. */
const claimLifeMs = 1_000;

/** Checks whether the store answers, and asks the store for its own findings. */
export async function checkStore(store: TokenStore, options: DiagnoseOptions, clock: Clock): Promise<Finding[]> {
  try {
    const findings = await inTime(clock, askStore(store, options));
    if (findings.some(({ level }) => level === 'error')) return findings;
    return [...findings, ...(await checkWrites(store, clock))];
  } catch (error) {
    const failure = storeFailureOf(error);
    return [failed(noAnswer(failure), failure)];
  }
}

function inTime<T>(clock: Clock, asked: Promise<T>): Promise<T> {
  return within(clock, storeTimeoutMs, asked, () => noAnswerWithin(storeTimeoutMs));
}

function failed(message: string, { fix }: StoreFailure): Finding {
  return {
    check: 'store',
    level: 'error',
    message,
    fix: `${fix} Until then no user can log in and no token can be refreshed.`,
    code: 'ERR_SALESFORCE_TOKEN_STORE',
  };
}

/**
 * Whether the store takes writes: a server without memory or disk, or one that is read-only, answers all questions. What is
 * written is a claim of a name that nothing else uses, and it ends by itself.
 */
async function checkWrites(store: TokenStore, clock: Clock): Promise<Finding[]> {
  if (!store.claimOnce) return [];
  try {
    await inTime(clock, store.claimOnce(`doctor:${randomUUID()}`, 'doctor', claimLifeMs));
    return [{ check: 'store', level: 'ok', message: 'The token store takes writes.' }];
  } catch (error) {
    const failure = storeFailureOf(error);
    return [failed(`The token store answers and takes no writes: ${reasonOf(failure)}.`, failure)];
  }
}

async function askStore(store: TokenStore, { processes, rotation }: DiagnoseOptions): Promise<Finding[]> {
  const findings = (await store.diagnose?.({ processes, rotation })) ?? [];
  if (findings.some(({ level }) => level === 'error')) return findings.map(fromStore);
  await store.read('doctor-no-such-grant');
  return [{ check: 'store', level: 'ok', message: 'The token store answers.' }, ...findings.map(fromStore)];
}

/** Checks whether stored tokens are encrypted. */
export function checkKeys(
  { grantKeys, isUnencryptedOnPurpose }: Pick<ParsedOptions, 'grantKeys' | 'isUnencryptedOnPurpose'>,
  isInMemory: boolean,
): Finding {
  const finding = (level: Finding['level'], message: string): Finding => ({ check: 'encryption-keys', level, message });
  if (grantKeys) return finding('ok', 'Stored tokens are encrypted.');
  if (isInMemory) return finding('ok', 'encryptionKeys is not set. Tokens never leave this process.');
  if (isUnencryptedOnPurpose) return finding('ok', 'Tokens are stored unencrypted, as encryptionKeys: false says.');
  return {
    ...finding('warning', 'Tokens are stored unencrypted, because encryptionKeys is not set.'),
    fix: 'Set the encryptionKeys option to a random text of at least 32 characters, the same on every server: openssl rand -base64 32',
  };
}
