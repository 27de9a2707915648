declare module 'passport-oauth2-refresh' {
  /** Refreshes tokens with the `_oauth2` of a strategy. */
  export class AuthTokenRefresh {
    use(name: string, strategy: object): void;
    requestNewAccessToken(
      name: string,
      refreshToken: string,
      done: (error: Error | null, accessToken?: string, refreshToken?: string) => void,
    ): void;
  }
}
