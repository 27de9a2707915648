import { parseOptions, type ParsedOptions, type SalesforceAuthOptions } from '../middleware/options';
import type { DiagnoseOptions, Diagnosis } from './findings';

/**
 * Finds what would make logins or refreshes fail: in the options, at Salesforce and in the token store.
 *
 * The doctor sends the first request of a login and an invalid code. It presents no refresh token, logs no user in and
 * changes no grant. To see whether the store takes writes, it writes a name that ends after a second. If `app` is set, it asks for
 * an app token and revokes that token. Findings hold no secret.
 *
 * @param options the options you pass to `salesforceAuth()`
 * @returns findings. Wrong options are findings as well; the function does not throw for them
 * @throws SalesforceOptionError for an option in `given` that does not exist, or has a wrong value
 *
 * @example
 * import { configurationFromEnv, diagnose } from 'express-salesforce-auth';
 *
 * const { findings } = await diagnose(configurationFromEnv(process.env), { origin: 'https://app.example.com' });
 * for (const { level, message } of findings) console.log(level, message);
 */
export async function diagnose(options: SalesforceAuthOptions, given: DiagnoseOptions = {}): Promise<Diagnosis> {
  // The doctor is loaded when it is asked for.
  const { examine, misconfigured } = await import('./examination');
  const { summarize } = await import('./findings');
  let parsed: ParsedOptions;
  try {
    parsed = parseOptions(options);
  } catch (error) {
    return summarize([misconfigured(error)]);
  }
  try {
    return await examine(parsed, given);
  } finally {
    if (parsed.ownsStore) await parsed.store.close?.();
  }
}
