import { GrantClient } from '../client/grant-client';
import { idleUntilOf, keepAlive } from '../coordinator/keep-alive';
import type { GrantFilter, GrantRecord, GrantState } from '../stores/store';
import { toId18 } from '../salesforce/ids';
import { adoptToken, type AdoptedGrant, type AdoptOptions } from './adoption';
import type { AuthContext } from './context';

/** Whose grant it is. `clientID` may be left out where there is one client. */
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
   * @throws SalesforceAuthError `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` where there is no such grant or it has ended;
   *   others (503) where no valid token can be had for now
   */
  async get(grant: string | GrantOwnerQuery): Promise<GrantClient & { accessToken: string; instanceUrl: string }> {
    const client = new GrantClient(this.#core.coordinator, { grantId: await this.#idOf(grant) });
    await client.ensure();
    return client as GrantClient & { accessToken: string; instanceUrl: string };
  }

  /** Looks a grant up without refreshing anything; undefined where there is none. */
  async find(grant: string | GrantOwnerQuery): Promise<GrantSummary | undefined> {
    const found = await this.#core.coordinator.access.open(await this.#idOf(grant));
    return found && this.#summary(found.record);
  }

  /** Grants of users that match, in no order. App tokens are not among them. */
  async *list(filter: GrantFilter = {}): AsyncIterable<GrantSummary> {
    const { organizationId, userId, ...rest } = filter;
    const ids = {
      ...(organizationId === undefined ? {} : { organizationId: toId18(organizationId) }),
      ...(userId === undefined ? {} : { userId: toId18(userId) }),
    };
    for await (const record of this.#core.grants.list({ ...rest, ...ids })) {
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
   * It is presented once, which shows whose it is, and stored as a grant. From then on the token is this package's alone: with
   * rotation, Salesforce takes the old copy for theft if anything presents it again. The same token, given again, is not
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
    const { grantId, user } = await adoptToken(this.#core, given);
    return { grantId, user };
  }

  /** Ends a grant: all its sessions are logged out, and its tokens revoked at Salesforce. */
  async revoke(grant: string | GrantOwnerQuery): Promise<void> {
    await this.#core.grants.logOut({ grantId: await this.#idOf(grant) }, true);
  }

  async #idOf(grant: string | GrantOwnerQuery): Promise<string> {
    if (typeof grant === 'string') return grant;
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
    const idleUntil = idleUntilOf(record, settings, clock);
    return { grantId: record.grantId, organizationId, userId, clientID, tenant, state: record.state, idleUntil };
  }
}
