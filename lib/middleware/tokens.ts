import { GrantClient } from '../client/grant-client';
import { healthOf, type GrantHealth } from '../coordinator/health';
import { idleUntilOf, keepAlive } from '../coordinator/keep-alive';
import { countKeys, resealAll, type KeyUse, type ResealCounts, type ResealParts } from '../coordinator/reseal';
import { loggedOut, noteGrant } from '../coordinator/failures';
import { requiresLogin, SalesforceAuthError } from '../errors';
import { checkNames } from '../options/names';
import { resealOptions } from '../options/parts/calls';
import type { GrantFilter, GrantRecord, GrantState, TokenStore } from '../stores/store';
import { MemoryTokenStore } from '../stores/memory';
import { toId18 } from '../salesforce/ids';
import type { AdoptedGrant, AdoptOptions } from './adoption';
import type { AuthContext } from './context';

/** Whose grant it is. `clientID` may be left out if there is one client. */
export interface GrantOwnerQuery {
  organizationId: string;
  userId: string;
  clientID?: string | undefined;
  tenant?: string | undefined;
}

/** A grant without its tokens. */
export interface GrantSummary {
  grantId: string;
  organizationId: string;
  userId: string;
  clientID: string;
  tenant: string | undefined;
  state: GrantState;
  /** Whether jobs can rely on it. */
  health: GrantHealth;
  /** Since when it is in doubt, or needs a login; undefined while it works. */
  since: Date | undefined;
  /** Why the last refresh failed, an error code of this package; undefined if it did not. */
  errorCode: string | undefined;
  /**
   * When Salesforce lets the refresh token end if it is not used before, by `refresh.idleLimitSeconds`. Undefined without such a
   * limit, and for a grant that cannot be refreshed.
   */
  idleUntil: Date | undefined;
}

/** Grants outside of requests: jobs, sockets, administration. */
export class Tokens {
  readonly #core: AuthContext;

  /** @internal */
  constructor(core: AuthContext) {
    this.#core = core;
  }

  /**
   * A user's access with a valid token, by grant id or by user.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` if there is no such grant or it has ended;
   *   others (503) if there is no valid token for now
   */
  async get(grant: string | GrantOwnerQuery): Promise<GrantClient & { accessToken: string; instanceUrl: string }> {
    const { coordinator, options } = this.#core;
    const grantId = await this.#idOf(grant);
    const client = new GrantClient(coordinator, { grantId });
    try {
      await client.ensure();
    } catch (error) {
      // A job may look at another store than the application does.
      if (requiresLogin(error) && !(await coordinator.access.read(grantId))) throw notThere(options.store, grantId);
      throw error;
    }
    return client as GrantClient & { accessToken: string; instanceUrl: string };
  }

  /** Looks a grant up without refreshing it. Returns undefined if the grant does not exist. */
  async find(grant: string | GrantOwnerQuery): Promise<GrantSummary | undefined> {
    const found = await this.#core.coordinator.access.open(await this.#idOf(grant));
    return found && this.#summary(found.record);
  }

  /** Grants of users that match, in no order. App tokens are not among them. */
  async *list(filter: GrantFilter = {}): AsyncIterable<GrantSummary> {
    const { organizationId, userId, ...rest } = filter;
    const ids = {
      organizationId: organizationId === undefined ? undefined : toId18(organizationId),
      userId: userId === undefined ? undefined : toId18(userId),
    };
    // A member that is undefined is one that is left out, in every store.
    const given = Object.entries({ ...rest, ...ids }).filter(([, value]) => value !== undefined);
    for await (const record of this.#core.grants.list(Object.fromEntries(given))) {
      // App tokens and the records of adoptions belong to no user.
      if (record.labels.userId !== '') yield this.#summary(record);
    }
  }

  /**
   * Keeps a grant alive that a job needs later: refreshes it, unless that was done in the last 24 hours, so that Salesforce's
   * limit for unused refresh tokens begins anew. Call it from a schedule, for instance once a week.
   *
   * @throws SalesforceAuthError as {@link Tokens.get}
   */
  async keepAlive(grant: string | GrantOwnerQuery): Promise<GrantSummary> {
    const grantId = await this.#idOf(grant);
    return this.#summary(await keepAlive(this.#core.coordinator, grantId, this.#core.options.settings));
  }

  /**
   * Takes over a refresh token that the application has had before, for instance from jsforce or a table of its own.
   *
   * The token is presented once, which shows whose it is, and stored as a grant. From then on only this package may present it:
   * with rotation, Salesforce takes it for theft if the old copy is presented again. The same token, given again, is not
   * presented again, in any process. If the user has a grant that is alive, that grant keeps its tokens.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` (401) if Salesforce refuses the token;
   *   `ERR_SALESFORCE_ORGANIZATION_NOT_ALLOWED` (403), and the tokens are revoked; others (502, 503) if what became of the
   *   token is not known yet: call it again later
   * @example
   * const { grantId, user } = await salesforce.tokens.adopt({ refreshToken: row.refreshToken });
   * console.log(`${user.username} goes on with grant ${grantId}`);
   */
  async adopt(given: AdoptOptions): Promise<AdoptedGrant> {
    const { adoptToken } = await import('./adoption');
    const { grantId, user } = await adoptToken(this.#core, given);
    return { grantId, user };
  }

  /**
   * How many grants each encryption key has sealed. Once an old key has none, it can be removed from
   * `encryptionKeys`. It reads the whole token store.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_TOKEN_STORE`
   */
  async keys(): Promise<KeyUse[]> {
    return countKeys(this.#sealed());
  }

  /**
   * Encrypts all grants with the first of `encryptionKeys`, so that an old key can be removed. Nothing else of a grant changes,
   * and no user is logged out. A grant that is being refreshed or in doubt is left for the next call. One grant after the other
   * is read and written. Call it once all processes have the new key, in one process.
   *
   * @param options.signal ends it between two grants
   * @throws SalesforceOptionError without `encryptionKeys`, or with a store that has no `reseal()`;
   *   SalesforceAuthError `ERR_SALESFORCE_TOKEN_STORE`, and what was done until then stays
   * @example
   * const { left, unreadable } = await salesforce.tokens.reseal();
   * console.log(`${left} grants are left for later, ${unreadable} cannot be read`);
   */
  async reseal(options: { signal?: AbortSignal | undefined } = {}): Promise<ResealCounts> {
    checkNames(options, resealOptions, 'tokens.reseal()');
    return resealAll(this.#sealed(), options.signal);
  }

  /** Ends a grant: all its sessions are logged out, and its tokens revoked at Salesforce. */
  async revoke(grant: string | GrantOwnerQuery): Promise<void> {
    await this.#core.grants.logOut({ grantId: await this.#idOf(grant) }, true);
  }

  #sealed(): ResealParts {
    const { coordinator, codec, options } = this.#core;
    return { keys: options.grantKeys, codec, store: options.store, access: coordinator.access };
  }

  async #idOf(grant: string | GrantOwnerQuery): Promise<string> {
    if (typeof grant === 'string') return grant;
    if (!isOwner(grant)) throw noGrantNamed();
    const { tenant } = grant;
    const clientID = grant.clientID ?? (await this.#core.options.source.resolve({ tenant })).clientID;
    return this.#core.grants.idOf({
      organizationId: toId18(grant.organizationId),
      userId: toId18(grant.userId),
      clientID,
      tenant,
    });
  }

  #summary(record: GrantRecord): GrantSummary {
    const { organizationId, userId, clientID, tenant } = record.labels;
    const { settings, clock } = this.#core.options;
    const { grantId, state, errorCode } = record;
    const owner = { organizationId, userId, clientID, tenant };
    const idleUntil = idleUntilOf(record, settings, clock);
    return { grantId, ...owner, state, ...healthOf(record, clock), errorCode, idleUntil };
  }
}

/** Callers without types may pass the `grantId` of a request that is not logged in. */
function isOwner(grant: unknown): grant is GrantOwnerQuery {
  const { organizationId, userId } = (grant ?? {}) as Partial<Record<keyof GrantOwnerQuery, unknown>>;
  return typeof organizationId === 'string' && typeof userId === 'string';
}

function noGrantNamed(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_NOT_AUTHENTICATED',
    'No grant is named. Pass the id of a grant, or organizationId and userId; req.salesforce.grantId is undefined if no user is logged in.',
    { status: 401 },
  );
}

/** The store knows nothing of a grant: not even that it was logged out a short time ago. */
function notThere(store: TokenStore, grantId: string): SalesforceAuthError {
  const error = loggedOut(
    store instanceof MemoryTokenStore
      ? 'The memory of this process has no such grant: another process has it, or this one has restarted. Give all processes, also ' +
          'jobs, one token store (option store).'
      : 'The token store has no such grant. It was logged out some time ago, or another process keeps it in another store, or under ' +
          'another prefix, table or file.',
  );
  noteGrant(error, grantId);
  return error;
}
