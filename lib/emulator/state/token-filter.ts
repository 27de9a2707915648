/** Selects tokens. An empty filter selects all tokens. */
export interface TokenFilter {
  username?: string | undefined;
  userId?: string | undefined;
  organizationId?: string | undefined;
  clientID?: string | undefined;
}
