import { within, type Clock } from '../clock';
import { noAnswer, storeFailureOf } from '../stores/failure';
import type { TokenStore } from '../stores/store';
import { fromStore, type DiagnoseOptions, type Finding } from './findings';

/** A store that takes longer counts as a store that does not answer. */
const storeTimeoutMs = 5_000;

/** Checks whether the store answers, and asks the store for its own findings. */
export async function checkStore(store: TokenStore, options: DiagnoseOptions, clock: Clock): Promise<Finding[]> {
  try {
    return await within(clock, storeTimeoutMs, askStore(store, options), () =>
      Object.assign(new Error(`no answer within ${storeTimeoutMs} ms`), { code: 'TIMEOUT' }),
    );
  } catch (error) {
    const failure = storeFailureOf(error);
    return [
      {
        check: 'store',
        level: 'error',
        message: noAnswer(failure),
        fix: `${failure.fix} Until then no user can log in and no token can be refreshed.`,
        code: 'ERR_SALESFORCE_TOKEN_STORE',
      },
    ];
  }
}

async function askStore(store: TokenStore, { processes, rotation }: DiagnoseOptions): Promise<Finding[]> {
  const findings = (await store.diagnose?.({ processes, rotation })) ?? [];
  if (findings.some(({ level }) => level === 'error')) return findings.map(fromStore);
  await store.read('doctor-no-such-grant');
  return [{ check: 'store', level: 'ok', message: 'The token store answers.' }, ...findings.map(fromStore)];
}

/** Checks whether stored tokens are encrypted. */
export function checkKeys(hasKeys: boolean, isInMemory: boolean): Finding {
  if (hasKeys) return { check: 'encryption-keys', level: 'ok', message: 'Stored tokens are encrypted.' };
  return {
    check: 'encryption-keys',
    level: isInMemory ? 'ok' : 'warning',
    message: isInMemory
      ? 'encryptionKeys is not set. Tokens never leave this process.'
      : 'Tokens are stored unencrypted, because encryptionKeys is not set.',
    ...(isInMemory
      ? {}
      : {
          fix: 'Set the encryptionKeys option to a random text of at least 32 characters, the same on every server: openssl rand -base64 32',
        }),
  };
}
