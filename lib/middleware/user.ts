import type { Request } from 'express';
import type { SalesforceProfile } from '../login/profile';

/** The user of a session, as it was at login. Held in the session; it contains no token. */
export interface SalesforceUser {
  /** Organization id, 18 characters. With `userId` the key of the user, unlike username and email. */
  organizationId: string;
  /** User id, 18 characters. */
  userId: string;
  username?: string;
  displayName?: string;
  email?: string;
  /** Whether Salesforce has verified the address. */
  emailVerified?: boolean;
  firstName?: string;
  lastName?: string;
  userType?: string;
  language?: string;
  locale?: string;
  timezone?: string;
}

/** Decides whether a user may log in. */
export type AuthorizeUser = (user: SalesforceUser, req: Request) => boolean | Promise<boolean>;

/** Work of the application after a login. */
export type OnLogin = (login: { req: Request; user: SalesforceUser; grantId: string }) => void | Promise<void>;

/** A user's name for a page. */
export function nameOfUser({ displayName, username, userId }: SalesforceUser): string {
  return displayName ?? username ?? userId;
}

/** The user a profile describes. */
export function userOf(profile: SalesforceProfile): SalesforceUser {
  const { organizationId, userId, username, displayName, name, emails, userType, language, locale, timezone } = profile;
  const email = emails?.[0];
  const user: Record<keyof SalesforceUser, unknown> = {
    organizationId,
    userId,
    username,
    displayName,
    email: email?.value,
    emailVerified: email?.verified,
    firstName: name?.givenName,
    lastName: name?.familyName,
    userType,
    language,
    locale,
    timezone,
  };
  return Object.fromEntries(
    Object.entries(user).filter(([, value]) => value !== undefined),
  ) as unknown as SalesforceUser;
}
