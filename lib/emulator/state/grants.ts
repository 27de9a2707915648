import type { EmulatorClock } from '../clock';
import { randomText } from '../org/ids';
import type { EmulatorUser } from '../org/users';
import type { EmulatorClient } from './clients';

/** One approval of an app by a user: the family of tokens that live and die together. */
export interface Grant {
  readonly client: EmulatorClient;
  readonly user: EmulatorUser;
  readonly scopes: readonly string[];
  readonly createdAt: number;
  /** Path of the site the user logged in at, `''` for the login host. */
  readonly site: string;
  lastUsedAt: number;
  /** The one refresh token that is good now; undefined where `refresh_token` was not granted. */
  refreshToken: string | undefined;
  revoked: boolean;
}

/** A session, opened by a token reply. */
export interface AccessToken {
  readonly token: string;
  readonly grant: Grant;
  readonly format: 'opaque' | 'jwt';
  readonly issuedAt: number;
  /** Origin of the instance it was issued for, which is the only one to take it for data. */
  readonly instanceOrigin: string;
  /** Idle time after which the session ends; undefined where `expiresAt` is fixed. */
  readonly slidesByMs: number | undefined;
  expiresAt: number;
  revoked: boolean;
}

/** Which tokens a call is about; everything where nothing is named. */
export interface TokenFilter {
  username?: string | undefined;
  userId?: string | undefined;
  organizationId?: string | undefined;
  clientID?: string | undefined;
}

/** Grants and their tokens. Nothing is ever removed, so that a spent token is told apart from an unknown one. */
export class Grants {
  readonly #clock: EmulatorClock;
  readonly #grants: Grant[] = [];
  readonly #refreshTokens = new Map<string, Grant>();
  /** Refresh tokens that were issued while rotation was off. */
  readonly #unrotated = new Set<string>();
  readonly #accessTokens = new Map<string, AccessToken>();
  /** Clients a user has approved, `userId clientID` → scopes. */
  readonly #approvals = new Map<string, Set<string>>();

  constructor(clock: EmulatorClock) {
    this.#clock = clock;
  }

  /** All grants, oldest first, with the access tokens of each that are good now. */
  get list(): readonly { readonly grant: Grant; readonly accessTokens: readonly AccessToken[] }[] {
    const live = new Map(this.#grants.map((grant) => [grant, [] as AccessToken[]]));
    for (const access of this.#accessTokens.values()) {
      if (this.#isAccessTokenLive(access)) live.get(access.grant)?.push(access);
    }
    return [...live].map(([grant, accessTokens]) => ({ grant, accessTokens }));
  }

  /** Whether the user approved the app for all these scopes before, and nothing has revoked that since. */
  isApproved(client: EmulatorClient, user: EmulatorUser, scopes: readonly string[]): boolean {
    const approved = this.#approvals.get(`${user.userId} ${client.clientID}`);
    return approved !== undefined && scopes.every((scope) => approved.has(scope));
  }

  /** Remembers an approval, so that the next login skips the page. */
  approve(client: EmulatorClient, user: EmulatorUser, scopes: readonly string[]): void {
    const key = `${user.userId} ${client.clientID}`;
    this.#approvals.set(key, new Set([...(this.#approvals.get(key) ?? []), ...scopes]));
  }

  /** Opens a grant; one refresh token too many for this user and app revokes the oldest. */
  open(client: EmulatorClient, user: EmulatorUser, scopes: readonly string[], site: string): Grant {
    const now = this.#clock.now();
    const withRefreshToken = scopes.includes('refresh_token') || scopes.includes('offline_access');
    const grant: Grant = {
      client,
      user,
      scopes,
      createdAt: now,
      site,
      lastUsedAt: now,
      refreshToken: undefined,
      revoked: false,
    };
    this.#grants.push(grant);
    if (withRefreshToken) {
      this.rotate(grant);
      const others = this.#withLiveRefreshToken({ userId: user.userId, clientID: client.clientID });
      for (const oldest of others.slice(0, Math.max(0, others.length - client.policy.maxApprovals))) {
        this.revoke(oldest);
      }
    }
    return grant;
  }

  /** Gives a grant a new refresh token; the one before it is spent from here on. */
  rotate(grant: Grant): string {
    const token = `5Aep861_fake_${randomText(74)}`;
    grant.refreshToken = token;
    this.#refreshTokens.set(token, grant);
    if (!grant.client.policy.rotateRefreshTokens) this.#unrotated.add(token);
    return token;
  }

  /** Whether a token was issued while rotation was off, which has been switched on since. */
  isOlderThanRotation(refreshToken: string): boolean {
    const isOn = this.#refreshTokens.get(refreshToken)?.client.policy.rotateRefreshTokens === true;
    return isOn && this.#unrotated.has(refreshToken);
  }

  addAccessToken(token: AccessToken): void {
    this.#accessTokens.set(token.token, token);
  }

  grantOf(refreshToken: string): Grant | undefined {
    return this.#refreshTokens.get(refreshToken);
  }

  /** Whether this token was once good and has been rotated out. */
  isSpent(refreshToken: string): boolean {
    const grant = this.#refreshTokens.get(refreshToken);
    return grant !== undefined && grant.refreshToken !== refreshToken;
  }

  /** Whether Salesforce would still answer this refresh token with an access token. */
  isRefreshTokenLive(refreshToken: string): boolean {
    const grant = this.#refreshTokens.get(refreshToken);
    if (!grant || grant.revoked || grant.refreshToken !== refreshToken) return false;
    const { refreshTokenPolicy: policy, idleTTLSeconds, blocked } = grant.client.policy;
    if (policy === 'immediate' || blocked || !grant.user.active) return false;
    const now = this.#clock.now();
    const isWithin = (since: number, seconds: number): boolean => now < since + seconds * 1000;
    if (idleTTLSeconds !== undefined && !isWithin(grant.lastUsedAt, idleTTLSeconds)) return false;
    if (policy === 'until-revoked') return true;
    return 'idleSeconds' in policy
      ? isWithin(grant.lastUsedAt, policy.idleSeconds)
      : isWithin(grant.createdAt, policy.absoluteSeconds);
  }

  /** The session of an access token, as long as it lasts. Reading it does not count as using it. */
  findAccessToken(token: string): AccessToken | undefined {
    const access = this.#accessTokens.get(token);
    return access && this.#isAccessTokenLive(access) ? access : undefined;
  }

  /** The same, and an opaque session starts its idle time anew. */
  useAccessToken(token: string): AccessToken | undefined {
    const access = this.findAccessToken(token);
    if (access?.slidesByMs !== undefined) access.expiresAt = this.#clock.now() + access.slidesByMs;
    return access;
  }

  /** Ends a grant with all its tokens; the last one to go takes the user's approval along. */
  revoke(grant: Grant): void {
    grant.revoked = true;
    for (const access of this.#accessTokens.values()) if (access.grant === grant) access.revoked = true;
    const filter = { userId: grant.user.userId, clientID: grant.client.clientID };
    if (this.#withLiveRefreshToken(filter).length === 0) {
      this.#approvals.delete(`${grant.user.userId} ${grant.client.clientID}`);
    }
  }

  /** Ends sessions only. */
  expireAccessTokens(filter: TokenFilter): void {
    for (const access of this.#accessTokens.values()) if (matches(access.grant, filter)) access.revoked = true;
  }

  /** Ends grants, as an administrator does under "Connected Apps OAuth Usage". */
  revokeAll(filter: TokenFilter): void {
    for (const grant of this.#grants) if (!grant.revoked && matches(grant, filter)) this.revoke(grant);
  }

  liveTokens(filter: TokenFilter): { accessTokens: number; refreshTokens: number } {
    const accessTokens = [...this.#accessTokens.values()].filter(
      (access) => matches(access.grant, filter) && this.#isAccessTokenLive(access),
    );
    return { accessTokens: accessTokens.length, refreshTokens: this.#withLiveRefreshToken(filter).length };
  }

  #isAccessTokenLive({ revoked, expiresAt, grant }: AccessToken): boolean {
    return !revoked && this.#clock.now() < expiresAt && grant.user.active && !grant.client.policy.blocked;
  }

  /** Oldest first. */
  #withLiveRefreshToken(filter: TokenFilter): Grant[] {
    return this.#grants.filter(
      (grant) =>
        matches(grant, filter) && grant.refreshToken !== undefined && this.isRefreshTokenLive(grant.refreshToken),
    );
  }
}

function matches({ user, client }: Grant, filter: TokenFilter): boolean {
  return (
    (filter.username === undefined || filter.username === user.username) &&
    (filter.userId === undefined || filter.userId === user.userId) &&
    (filter.organizationId === undefined || filter.organizationId === user.organizationId) &&
    (filter.clientID === undefined || filter.clientID === client.clientID)
  );
}
