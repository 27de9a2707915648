import { parseJsonObject } from '../json-object';

/** Whether an access token is JWT-based. An opaque one begins with the organization id and an exclamation mark. */
export function isJwt(accessToken: string): boolean {
  return !accessToken.includes('!') && accessToken.split('.').length === 3;
}

/** The claims of a JWT, as they are written: nothing has proven them. Undefined if a text has none. */
export function unprovenClaims(jwt: string): Record<string, unknown> | undefined {
  return parseJsonObject(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
}
