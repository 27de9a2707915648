import type { ClientKey } from '../client-authentication/client-key';
import type { ClientOptions } from './configuration';

/**
 * Reads client options from `SALESFORCE_CLIENT_ID`, `SALESFORCE_CLIENT_SECRET`, `SALESFORCE_CLIENT_KEY` and
 * `SALESFORCE_CLIENT_CERTIFICATE` (both PEM), `SALESFORCE_PROMPT_TYPE`, `SALESFORCE_BASE_URL`, `SALESFORCE_CALLBACK_URL` and
 * `SALESFORCE_SCOPE`.
 *
 * `SALESFORCE_PROMPT_TYPE=off` sends no `prompt`. An empty variable counts as absent, except for the client id, whose absence is an error wherever the options are used.
 * The only place in the library that reads an environment, and only the one it is given.
 *
 * @param env for instance `process.env`
 *
 * @example
 * import express from 'express';
 * import { configurationFromEnv, salesforceAuth } from 'express-salesforce-auth';
 *
 * const app = express();
 * app.use(salesforceAuth(configurationFromEnv(process.env)));
 */
export function configurationFromEnv(env: Readonly<Record<string, string | undefined>>): ClientOptions {
  const read = (name: string): string | undefined => env[`SALESFORCE_${name}`]?.trim() || undefined;
  const prompt = read('PROMPT_TYPE');
  const key = read('CLIENT_KEY');
  const options: Record<string, ClientKey | string | false | undefined> = {
    clientSecret: read('CLIENT_SECRET'),
    clientKey: key === undefined ? undefined : { key, certificate: read('CLIENT_CERTIFICATE') },
    prompt: prompt === 'off' ? false : prompt,
    baseUrl: read('BASE_URL'),
    callbackURL: read('CALLBACK_URL'),
    scope: read('SCOPE'),
  };
  const present = Object.entries(options).filter(([, value]) => value !== undefined);
  // Whether `prompt` holds one of the known words is checked where the options are used, with a message of its own.
  return { clientID: read('CLIENT_ID') ?? '', ...(Object.fromEntries(present) as Partial<ClientOptions>) };
}
