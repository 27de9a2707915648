/** Whether an access token is JWT-based. An opaque one begins with the organization id and an exclamation mark. */
export function isJwt(accessToken: string): boolean {
  return !accessToken.includes('!') && accessToken.split('.').length === 3;
}
