import type { AppClient } from '../app/app-client';
import type { AppOptions } from '../app/app-options';
import type { ConnectionOptions } from '../client/connection';
import type { JsforceConnection } from '../client/jsforce';
import { loaded } from '../loaded';
import type { AuthContext } from './context';

/** The application's own access to Salesforce, without a login; for jobs, webhooks and administration. */
export interface AppAccess {
  /** A valid access token, requested if needed. @throws SalesforceAuthError with the remedy in Setup */
  readonly getAccessToken: (options?: { rejected?: string | undefined }) => Promise<string>;
  /** `fetch` on the organization's instance, with a valid token, tried once more if Salesforce says that it has ended. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** A jsforce `Connection` that gets its tokens in the same way. */
  readonly connection: (options?: ConnectionOptions) => Promise<JsforceConnection>;
  /** The `grantId` that events about this access have. */
  readonly getGrantId: () => Promise<string>;
}

/** Loads the code of app tokens at its first use. */
export function appAccess(core: AuthContext, options: AppOptions): AppAccess {
  let opened: Promise<AppClient> | undefined;
  const open = (): Promise<AppClient> => {
    opened ??= openApp(core, options).catch((error: unknown) => {
      // The next call tries again.
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return {
    getAccessToken: async (given) => (await open()).getAccessToken(given),
    fetch: async (input, init) => (await open()).fetch(input, init),
    connection: async (given) => (await open()).connection(given),
    getGrantId: async () => (await open()).getGrantId(),
  };
}

async function openApp(core: AuthContext, options: AppOptions): Promise<AppClient> {
  const { AppClient: Client } = await loaded(() => import('../app/app-client'));
  const { checkAppOptions } = await loaded(() => import('../app/app-options'));
  checkAppOptions(options);
  const { coordinator, codec } = core;
  const { store, source, grantIdKey: idKey } = core.options;
  return new Client(options, { coordinator, store, source, codec, idKey });
}
