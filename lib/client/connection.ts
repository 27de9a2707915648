import { createRequire } from 'node:module';
import type { TokenCoordinator } from '../coordinator/coordinator';
import type { GrantKey } from '../coordinator/grant';
import { SalesforceAuthError } from '../errors';
import type { JsforceConnection } from './jsforce';
import { carryRequests } from './jsforce-transport';
import { movedTo } from './moved';

/** Options of `connection()`. */
export interface ConnectionOptions {
  /** API version, for instance `62.0`. Default: jsforce's own. */
  version?: string | undefined;
}

/** New tokens in a row without a successful request. Without this limit jsforce would go on for ever. */
const maxTokensInARow = 2;

/** How long that limit holds after the last try, in milliseconds. */
const rememberedMs = 60_000;

/**
 * A jsforce connection whose refreshes go through the coordinator, and so never present a refresh token twice.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_JSFORCE`, and what
 *   {@link TokenCoordinator.get} throws
 */
export async function openConnection(
  coordinator: TokenCoordinator,
  key: GrantKey,
  options: ConnectionOptions = {},
): Promise<JsforceConnection> {
  const { Connection } = loadJsforce();
  const tokens = await coordinator.get(key);
  let tokensInARow = 0;
  let refreshedAt = -Infinity;
  const refreshErrors = new RefreshErrors();
  const connection = new Connection({
    instanceUrl: tokens.instanceUrl,
    // jsforce revokes a token at logout here, at the organization itself.
    loginUrl: tokens.instanceUrl,
    accessToken: tokens.accessToken,
    ...(options.version === undefined ? {} : { version: options.version }),
    refreshFn: (current, answer) => {
      const done = refreshErrors.noted(answer);
      const rejected = current.accessToken ?? undefined;
      const now = coordinator.clock.monotonic();
      // A connection that is kept for long goes on once Salesforce takes tokens again.
      if (now - refreshedAt > rememberedMs) tokensInARow = 0;
      refreshedAt = now;
      if (tokensInARow >= maxTokensInARow) {
        if (rejected !== undefined) coordinator.refusals.note(key.grantId, rejected);
        done(tokensRefused());
        return;
      }
      coordinator.get(key, { rejected }).then(
        (fresh) => {
          // A refresh that fails ends the request by itself, and says nothing of new tokens.
          tokensInARow += 1;
          current.instanceUrl = fresh.instanceUrl;
          done(null, fresh.accessToken);
        },
        (error: unknown) => {
          done(error as Error);
        },
      );
    },
  });
  refreshErrors.handOn(connection);
  carryRequests(connection, {
    send: await coordinator.fetchOf(tokens),
    isTrusted: await coordinator.trustOf(tokens),
    hasMoved: async () => {
      const { accessToken, instanceUrl } = connection;
      return (await movedTo(coordinator, key, { accessToken: accessToken ?? '', instanceUrl })) !== undefined;
    },
  });
  const request = connection.request.bind(connection);
  connection.request = ((...given: Parameters<typeof request>) => {
    const answer = request(...given);
    answer.then(
      () => {
        tokensInARow = 0;
      },
      () => undefined,
    );
    return answer;
  }) as typeof connection.request;
  return connection;
}

function tokensRefused(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_API_TOKEN_REFUSED',
    'Salesforce refuses new access tokens as well, so the session is not what is wrong. Check the session policies of the app ' +
      'and the organization.',
    { status: 502 },
  );
}

/** How a refresh is answered to jsforce. */
type RefreshAnswer = (error: Error | null, accessToken?: string) => void;

/** What is used of the part of jsforce that refreshes. All its APIs call this method. */
interface RefreshDelegate {
  refresh(since: number): Promise<void>;
}

/**
 * Gives requests the error that their refresh failed with. jsforce keeps only its message, in an error without a code: nothing
 * could tell an ended login from an outage.
 */
class RefreshErrors {
  /** What the latest call of `refresh` fails with. */
  #latest: { error?: Error } = {};

  /** To be called at once by the function that jsforce refreshes with. */
  noted(answer: RefreshAnswer): RefreshAnswer {
    const own = this.#latest;
    return (error, accessToken) => {
      if (error) own.error = error;
      answer(error, accessToken);
    };
  }

  handOn(connection: JsforceConnection): void {
    // jsforce has this property, but does not declare it.
    const delegate = (connection as unknown as { _refreshDelegate: RefreshDelegate })._refreshDelegate;
    const refresh = delegate.refresh.bind(delegate);
    delegate.refresh = async (since) => {
      const own = (this.#latest = {} as { error?: Error });
      try {
        await refresh(since);
      } catch (error) {
        throw own.error ?? error;
      }
    };
  }
}

/** The last jsforce that loads on a Node older than {@link currentJsforceNode}. */
const lastOlderJsforce = '3.10.16';
const currentJsforceNode = 22;

// eslint-disable-next-line @typescript-eslint/consistent-type-imports -- an import statement would fail without jsforce
function loadJsforce(): typeof import('jsforce') {
  try {
    // Bundlers build without a package that is missing if a `try` requires it. They refuse a missing `import()`.
    // eslint-disable-next-line @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports -- see above
    const jsforce = require('jsforce') as typeof import('jsforce');
    if (!isTooOld(installedVersion())) return jsforce;
  } catch (error) {
    const installed = installedVersion();
    if (installed === undefined) {
      throw new SalesforceAuthError(
        'ERR_SALESFORCE_JSFORCE',
        `connection() needs the package jsforce. Install it with: npm install jsforce${isOlderNode() ? `@${lastOlderJsforce}` : ''}`,
        { cause: error },
      );
    }
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_JSFORCE',
      `jsforce ${installed} is installed but does not load on Node.js ${process.versions.node}. ` +
        (isOlderNode()
          ? `Install one that does with: npm install jsforce@${lastOlderJsforce}. Later ones need Node.js ${currentJsforceNode}.`
          : 'Install it anew with: npm install jsforce@latest. See the cause for what fails.'),
      { cause: error },
    );
  }
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_JSFORCE',
    `jsforce ${String(installedVersion())} is installed, and connection() needs version 3 or later. Install it with: npm install ` +
      `jsforce@${isOlderNode() ? lastOlderJsforce : 'latest'}`,
  );
}

/** Before version 3, which is the first after version 1, a connection has another shape. */
function isTooOld(version: string | undefined): boolean {
  return /^[0-2]\./.test(version ?? '');
}

function isOlderNode(): boolean {
  return Number(process.versions.node.split('.')[0]) < currentJsforceNode;
}

/** The version of jsforce that is installed, whether it loads or not. */
function installedVersion(): string | undefined {
  try {
    const manifest = createRequire(__filename)('jsforce/package.json') as { version?: string };
    return manifest.version ?? 'of an unknown version';
  } catch {
    return undefined;
  }
}
