import { createHash, createHmac } from 'node:crypto';
import type { TokenSet } from '../token/types';

/** Which grant, and which generation of it. */
export interface GrantKey {
  grantId: string;
  /** Left out by jobs, which take the grant as it is now. */
  generation?: string | undefined;
}

/** Whose grant it is. Both ids in their 18-character form. */
export interface GrantOwner {
  organizationId: string;
  userId: string;
  clientID: string;
  /** Whose client it is, if the application has tenants. A client id is no secret, so another tenant can name the same. */
  tenant?: string | undefined;
}

/**
 * The id of a grant: the same for every session, process and login host of one user at one client of one tenant.
 *
 * The issuer is not part of the id, since one user logs in through several hosts. The key is no encryption key, since those
 * are changed.
 */
export function grantIdOf({ organizationId, userId, clientID, tenant }: GrantOwner, key: string): string {
  return createHmac('sha256', `express-salesforce-auth/grant-id/1|${key}`)
    .update(JSON.stringify([organizationId, userId, clientID, ...(tenant === undefined ? [] : [tenant])]))
    .digest('base64url');
}

/** Whether a text can be a grant id. */
export function isGrantId(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/** Whose app token it is, and which host issued it. */
export interface AppGrantOwner {
  clientID: string;
  tenant: string | undefined;
  baseUrl: string;
  /** Undefined for the app itself. */
  user: string | undefined;
  /** The audience that the application names, if it names one and there is a user. */
  audience: string | undefined;
}

/**
 * The id of the grant of an app token. The user that Salesforce names in its reply is not part of it. The audience is part of it,
 * since the record keeps the audience: with another audience there has to be another record.
 */
export function appGrantIdOf({ clientID, tenant, baseUrl, user, audience }: AppGrantOwner, key: string): string {
  const optional = [...(tenant === undefined ? [] : [tenant]), ...(audience === undefined ? [] : [{ audience }])];
  return createHmac('sha256', `express-salesforce-auth/app-grant-id/1|${key}`)
    .update(JSON.stringify([clientID, baseUrl, user ?? null, ...optional]))
    .digest('base64url');
}

/** What a record keeps of an access token that was refused. */
export function digestOf(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url');
}

/** Whether a new access token can be had without the user: by a refresh token, or for an app token. */
export function isRenewable({ refreshToken, app }: TokenSet): boolean {
  return refreshToken !== undefined || app !== undefined;
}

/** What becomes stale when, relative to the issue of the tokens. */
export interface TokenLife {
  /** Refresh in the background from here on; null if there is nothing to refresh with. */
  softMs: number | null;
  /** Wait for a refresh from here on; null if nothing is known. */
  hardMs: number | null;
}

/** How long before its known end a token is no longer handed out, since it has to last for the call that is made with it. */
const skewMs = 60_000;

/** How long before its end a token with a known life is refreshed at the latest. */
export function skewOf(lifeMs: number): number {
  return Math.min(skewMs, lifeMs / 10);
}

/**
 * When tokens become stale. Salesforce sends no expiry for opaque tokens; their session timeout counts idle time, so its
 * value is the earliest end and only presumed, while `expires_in` or a JWT's `exp` is certain.
 *
 * The soft bound lies between 75 and 90 % of the life, at a point that depends on the grant, so that grants that began
 * together are not refreshed together.
 */
export function tokenLifeOf(tokens: TokenSet, grantId: string, sessionTimeoutSeconds: number): TokenLife {
  const isCertain = tokens.lifeMs !== undefined;
  const lifeMs = tokens.lifeMs ?? sessionTimeoutSeconds * 1000;
  const hardMs = isCertain ? lifeMs - skewOf(lifeMs) : lifeMs;
  if (!isRenewable(tokens)) return { softMs: null, hardMs: isCertain ? hardMs : null };
  const spread = Buffer.from(grantId).reduce((sum, byte) => (sum * 31 + byte) % 1000, 0) / 1000;
  return { softMs: Math.min(hardMs, lifeMs * (0.75 + 0.15 * spread)), hardMs };
}
