import { within, type Clock } from '../clock';
import { noAnswer, storeFailureOf } from '../stores/failure';
import type { TokenStore } from '../stores/store';
import { fromStore, type DiagnoseOptions, type Finding } from './findings';

/** How long a store may take to answer. */
const storeTimeoutMs = 5_000;

/** Whether the store answers, and what it knows of itself. */
export async function checkStore(store: TokenStore, given: DiagnoseOptions, clock: Clock): Promise<Finding[]> {
  try {
    const looked = look(store, given);
    return await within(clock, storeTimeoutMs, looked, () =>
      Object.assign(new Error(`no answer within ${storeTimeoutMs} ms`), { code: 'TIMEOUT' }),
    );
  } catch (error) {
    const failure = storeFailureOf(error);
    return [
      {
        check: 'store',
        level: 'error',
        message: noAnswer(failure),
        fix: `${failure.fix} Until then nobody can log in or be refreshed.`,
        code: 'ERR_SALESFORCE_TOKEN_STORE',
      },
    ];
  }
}

async function look(store: TokenStore, { processes, rotation }: DiagnoseOptions): Promise<Finding[]> {
  const findings = (await store.diagnose?.({ processes, rotation })) ?? [];
  if (findings.some(({ level }) => level === 'error')) return findings.map(fromStore);
  await store.read('doctor-no-such-grant');
  return [{ check: 'store', level: 'ok', message: 'The token store answers.' }, ...findings.map(fromStore)];
}

/** Whether what is stored is encrypted. */
export function checkKeys(hasKeys: boolean, isInMemory: boolean): Finding {
  if (hasKeys) return { check: 'encryption-keys', level: 'ok', message: 'Stored tokens are encrypted.' };
  return {
    check: 'encryption-keys',
    level: isInMemory ? 'ok' : 'warning',
    message: isInMemory
      ? 'There are no encryptionKeys; tokens never leave this process.'
      : 'Tokens are stored in clear: there are no encryptionKeys.',
    ...(isInMemory
      ? {}
      : {
          fix: 'Set the encryptionKeys option to a random text of at least 32 characters, the same on every server: openssl rand -base64 32',
        }),
  };
}
