declare module 'passport-oauth2-refresh' {
  export class AuthTokenRefresh {
    use(name: string, strategy: unknown): void;
    requestNewAccessToken(
      name: string,
      refreshToken: string,
      done: (error: unknown, accessToken?: string, refreshToken?: string) => void,
    ): void;
  }
}
