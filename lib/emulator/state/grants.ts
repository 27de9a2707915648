import type { EmulatorClock } from '../clock';
import { randomText } from '../org/ids';
import type { EmulatorUser } from '../org/users';
import type { EmulatorClient } from './clients';
import type { TokenFilter } from './token-filter';

/** The tokens of one login of a user at an app. They are revoked together. */
export interface Grant {
  readonly client: EmulatorClient;
  readonly user: EmulatorUser;
  readonly scopes: readonly string[];
  readonly createdAt: number;
  /** Path of the site of the login, `''` for the login host. */
  readonly site: string;
  lastUsedAt: number;
  /** The current refresh token. Undefined if the scope `refresh_token` was not granted. */
  refreshToken: string | undefined;
  revoked: boolean;
}

/** A session. Each token reply opens a session. */
export interface AccessToken {
  readonly token: string;
  readonly grant: Grant;
  readonly format: 'opaque' | 'jwt';
  readonly issuedAt: number;
  /** Origin of the instance for which the token was issued. Only this instance serves data for the token. */
  readonly instanceOrigin: string;
  /** Time without use after which the session ends. Undefined if `expiresAt` is fixed. */
  readonly slidesByMs: number | undefined;
  expiresAt: number;
  revoked: boolean;
}

/** Grants and their tokens. No token is ever removed, so that a spent token differs from an unknown token. */
export class Grants {
  readonly #clock: EmulatorClock;
  readonly #grants: Grant[] = [];
  readonly #refreshTokens = new Map<string, Grant>();
  /** Refresh tokens that were issued while rotation was off. */
  readonly #unrotated = new Set<string>();
  readonly #accessTokens = new Map<string, AccessToken>();
  /** Approved scopes by `userId clientID`. */
  readonly #approvals = new Map<string, Set<string>>();

  constructor(clock: EmulatorClock) {
    this.#clock = clock;
  }

  /** All grants, oldest first, with their valid access tokens. */
  get list(): readonly { readonly grant: Grant; readonly accessTokens: readonly AccessToken[] }[] {
    const live = new Map(this.#grants.map((grant) => [grant, [] as AccessToken[]]));
    for (const access of this.#accessTokens.values()) {
      if (this.#isAccessTokenLive(access)) live.get(access.grant)?.push(access);
    }
    return [...live].map(([grant, accessTokens]) => ({ grant, accessTokens }));
  }

  /** Whether the user has approved the app for all these scopes, and the approval was not revoked. */
  isApproved(client: EmulatorClient, user: EmulatorUser, scopes: readonly string[]): boolean {
    const approved = this.#approvals.get(`${user.userId} ${client.clientID}`);
    return approved !== undefined && scopes.every((scope) => approved.has(scope));
  }

  /** Remembers an approval, so that the next login skips the page. */
  approve(client: EmulatorClient, user: EmulatorUser, scopes: readonly string[]): void {
    const key = `${user.userId} ${client.clientID}`;
    this.#approvals.set(key, new Set([...(this.#approvals.get(key) ?? []), ...scopes]));
  }

  /** Opens a grant. If the user then has too many refresh tokens for the app, the oldest grant is revoked. */
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

  /** Gives a grant a new refresh token. The earlier token is spent from now on. */
  rotate(grant: Grant): string {
    const token = `5Aep861_fake_${randomText(74)}`;
    grant.refreshToken = token;
    this.#refreshTokens.set(token, grant);
    if (!grant.client.policy.rotateRefreshTokens) this.#unrotated.add(token);
    return token;
  }

  /** Whether rotation was off when the token was issued, and is on now. */
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

  /** Whether rotation has replaced this token. */
  isSpent(refreshToken: string): boolean {
    const grant = this.#refreshTokens.get(refreshToken);
    return grant !== undefined && grant.refreshToken !== refreshToken;
  }

  /** Whether this refresh token still works. */
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

  /** The session of a valid access token. This call does not count as a use of the session. */
  findAccessToken(token: string): AccessToken | undefined {
    const access = this.#accessTokens.get(token);
    return access && this.#isAccessTokenLive(access) ? access : undefined;
  }

  /** The session of a valid access token. The idle time of an opaque session starts again. */
  useAccessToken(token: string): AccessToken | undefined {
    const access = this.findAccessToken(token);
    if (access?.slidesByMs !== undefined) access.expiresAt = this.#clock.now() + access.slidesByMs;
    return access;
  }

  /** Revokes a grant with all its tokens. With the last refresh token, the approval of the user ends too. */
  revoke(grant: Grant): void {
    grant.revoked = true;
    const filter = { userId: grant.user.userId, clientID: grant.client.clientID };
    if (this.#withLiveRefreshToken(filter).length === 0) {
      this.#approvals.delete(`${grant.user.userId} ${grant.client.clientID}`);
    }
  }

  /** Ends sessions. Refresh tokens stay valid. */
  expireAccessTokens(filter: TokenFilter): void {
    for (const access of this.#accessTokens.values()) if (matches(access.grant, filter)) access.revoked = true;
  }

  /** Revokes grants, as an administrator does under "Connected Apps OAuth Usage". */
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
    const isEnded = revoked || grant.revoked || this.#clock.now() >= expiresAt;
    return !isEnded && grant.user.active && !grant.client.policy.blocked;
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
