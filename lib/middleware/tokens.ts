import { GrantClient } from '../client/grant-client';
import type { GrantFilter, GrantState } from '../stores/store';
import { toId18 } from '../salesforce/ids';
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
    return found && summary(found.record);
  }

  /** Grants of users that match, in no order. App tokens are not among them. */
  async *list(filter: GrantFilter = {}): AsyncIterable<GrantSummary> {
    const { organizationId, userId, ...rest } = filter;
    const ids = {
      ...(organizationId === undefined ? {} : { organizationId: toId18(organizationId) }),
      ...(userId === undefined ? {} : { userId: toId18(userId) }),
    };
    for await (const record of this.#core.grants.list({ ...rest, ...ids })) {
      if (record.labels.userId !== '') yield summary(record);
    }
  }

  /** Ends a grant: all its sessions are logged out, and its tokens revoked at Salesforce. */
  async revoke(grant: string | GrantOwnerQuery): Promise<void> {
    await this.#core.grants.release({ grantId: await this.#idOf(grant) }, true);
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
}

function summary({
  grantId,
  labels,
  state,
}: {
  grantId: string;
  labels: Required<GrantFilter> | GrantFilter;
  state: GrantState;
}): GrantSummary {
  const { organizationId = '', userId = '', clientID = '', tenant } = labels;
  return { grantId, organizationId, userId, clientID, tenant, state };
}
