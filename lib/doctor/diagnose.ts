import { parseOptions, type ParsedOptions, type SalesforceAuthOptions } from '../middleware/options';
import type { DiagnoseOptions, Diagnosis } from './findings';

/**
 * Looks for what would make logins or refreshes fail: in the options, at Salesforce and in the token store.
 *
 * It sends Salesforce what a login begins with, and a code that is none; it presents no refresh token, logs nobody in and
 * changes nothing. With `app` it asks for an app token and revokes it. Findings hold no secret.
 *
 * @param options what you give `salesforceAuth()`
 * @returns findings, also about options that are wrong; it does not throw for anything it finds
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
