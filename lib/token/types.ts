/**
 * A token endpoint's success reply as Salesforce writes it (RFC 6749, section 5.1, and Salesforce's own fields).
 *
 * There is no `expires_in` in the flows of users; `issued_at` is a string of milliseconds.
 */
export interface TokenEndpointReply {
  access_token: string;
  refresh_token?: string;
  token_type?: string;
  scope?: string;
  id_token?: string;
  expires_in?: number;
  instance_url?: string;
  id?: string;
  issued_at?: string;
  signature?: string;
  sfdc_community_url?: string;
  sfdc_community_id?: string;
}

/** The tokens of one user at one client, as the package keeps them. */
export interface TokenSet {
  accessToken: string;
  /** Absent if the scope `refresh_token` was not granted: such a grant ends with its access token. */
  refreshToken?: string;
  /** Granted scopes. */
  scope: readonly string[];
  /** Origin of the organization's API. */
  instanceUrl: string;
  /** Organization id, 18 characters. */
  organizationId: string;
  /** User id, 18 characters. */
  userId: string;
  /** Base URL that issued the tokens. The refresh token goes there, or to the host that replaces it if it is gone. */
  baseUrl: string;
  /** Client the tokens belong to. */
  clientID: string;
  /** Tenant of the configuration they were obtained with. */
  tenant?: string;
  /** Life of the access token from its issue, in milliseconds, if the reply or the token itself tells it. */
  lifeMs?: number;
  /** Random name of the login these tokens come from; refreshes keep it. */
  loginId?: string;
  /** When a login or a request last brought new tokens, in milliseconds since the epoch; refreshes for no request keep it. */
  usedAt?: number;
  /** What the last refreshes showed of refresh token rotation; absent before the first. */
  rotation?: 'on' | 'off';
  /** Experience Cloud site of the user. */
  siteUrl?: string;
  /**
   * Only for an app token: how a new one is requested, in place of a refresh token. With a `user` by the JWT bearer flow,
   * otherwise by client credentials.
   */
  app?: { user?: string; audience?: string };
  /** Only in the record of an adoption: how far the adoption has got. See `coordinator/adoptions.ts`. */
  adoption?: AdoptionStep;
}

/**
 * - `moving`: the tokens are on their way to the grant of their user
 * - `refused`: the user may not use the application; the tokens were revoked
 * - a generation: the tokens are in the grant of their user, which had this generation
 */
export type AdoptionStep = 'moving' | 'refused' | { generation: string };
