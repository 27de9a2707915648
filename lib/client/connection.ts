import type { TokenCoordinator } from '../coordinator/coordinator';
import type { GrantReference } from '../coordinator/grant';
import { SalesforceAuthError } from '../errors';

/** jsforce's `Connection`; `any` where jsforce, an optional peer, is not installed. */
// eslint-disable-next-line @typescript-eslint/consistent-type-imports -- an import statement would fail without jsforce
export type JsforceConnection = import('jsforce').Connection;

/** Options of `connection()`. */
export interface ConnectionOptions {
  /** API version, for instance `62.0`. Default: jsforce's own. */
  version?: string | undefined;
}

/** Refreshes in a row without a request that succeeded, after which jsforce would go on for ever. */
const maxRefreshesInARow = 2;

/**
 * A jsforce connection whose refreshes go through the coordinator, and so never present a refresh token twice.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_JSFORCE_MISSING`, and what {@link TokenCoordinator.get} throws
 */
export async function openConnection(
  coordinator: TokenCoordinator,
  reference: GrantReference,
  options: ConnectionOptions = {},
): Promise<JsforceConnection> {
  const { Connection } = await loadJsforce();
  const tokens = await coordinator.get(reference);
  let refreshesInARow = 0;
  const connection = new Connection({
    instanceUrl: tokens.instanceUrl,
    accessToken: tokens.accessToken,
    ...(options.version === undefined ? {} : { version: options.version }),
    refreshFn: (current, done) => {
      const rejected = current.accessToken ?? undefined;
      if (++refreshesInARow > maxRefreshesInARow) {
        if (rejected !== undefined) coordinator.latchRejected(reference.grantId, rejected);
        done(new Error('Salesforce refuses new access tokens as well, so the session is not what is wrong.'));
        return;
      }
      coordinator.get(reference, { rejected }).then(
        (fresh) => {
          if (current.instanceUrl === fresh.instanceUrl) {
            done(null, fresh.accessToken);
            return;
          }
          // jsforce would repeat the request at the old host, be refused, and refresh again.
          current.instanceUrl = fresh.instanceUrl;
          current.accessToken = fresh.accessToken;
          done(new Error('The organization has moved to another instance. Repeat the call; it will go there.'));
        },
        (error: unknown) => {
          done(error as Error);
        },
      );
    },
  });
  const request = connection.request.bind(connection);
  connection.request = ((...given: Parameters<typeof request>) => {
    const answer = request(...given);
    answer.then(
      () => {
        refreshesInARow = 0;
      },
      () => undefined,
    );
    return answer;
  }) as typeof connection.request;
  return connection;
}

// eslint-disable-next-line @typescript-eslint/consistent-type-imports -- see above
async function loadJsforce(): Promise<typeof import('jsforce')> {
  try {
    return await import('jsforce');
  } catch (error) {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_JSFORCE_MISSING',
      'connection() needs the package jsforce. Install it with: npm install jsforce',
      { cause: error },
    );
  }
}
