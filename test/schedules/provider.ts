import { createHash } from 'node:crypto';
import { data } from '../../lib/emulator/data/resources';
import type { Exchange, RecordedRequest } from '../../lib/emulator/http/exchange';
import { replyBody, type Reply } from '../../lib/emulator/http/reply';
import { introspect } from '../../lib/emulator/oauth/introspect';
import { revoke } from '../../lib/emulator/oauth/revoke';
import { token } from '../../lib/emulator/oauth/token';
import { Provider } from '../../lib/emulator/provider';
import type { Grant } from '../../lib/emulator/state/grants';
import type { EmulatorClient } from '../../lib/emulator/state/clients';

/** Where the emulated Salesforce is said to be; nothing listens there. */
export const origin = 'http://localhost:1';
/** Address of the application, which no request reaches. */
export const callbackURL = 'http://localhost:2/callback';

/** The instance's name, if it has its own. */
const instance = 'http://127.0.0.1:1';

export interface Client {
  isPublic: boolean;
  rotates: boolean;
  /** Whether access tokens come with a certain end, of ten minutes; else it is presumed, after two hours. */
  isCertain: boolean;
  /** Whether the instance has a name of its own, where refresh tokens are taken as well. */
  hasOwnInstance?: boolean;
}

const endpoints: Record<string, (provider: Provider, exchange: Exchange) => Reply | Promise<Reply>> = {
  '/services/oauth2/token': token,
  '/services/oauth2/revoke': revoke,
  '/services/oauth2/introspect': introspect,
};

/**
 * The emulator itself, with its logic, its faults and its oracle, reached by a function call instead of a socket: ten
 * thousand schedules are some hundred thousand requests, and virtual time knows no sockets.
 */
export class Salesforce {
  readonly provider: Provider;
  readonly client: EmulatorClient;
  /** Every grant that was ever answered with tokens, and the access tokens it was given. */
  readonly grants = new Map<Grant, Set<string>>();
  #logins = 0;

  constructor({ isPublic, rotates, isCertain, hasOwnInstance = false }: Client) {
    this.provider = new Provider({
      sessionTimeoutSeconds: 7200,
      queryBatchSize: 200,
      redirectWith: 'location',
      console: false,
      app: 'legacy',
      maxRequests: Infinity,
      containedAddresses: undefined,
    });
    const { hosts, organizations, clients, clock } = this.provider;
    clock.freeze();
    hosts.login = origin;
    hosts.origins.add(origin);
    hosts.origins.add(instance);
    for (const { organizationId } of organizations)
      hosts.instances.set(organizationId, hasOwnInstance ? instance : origin);
    this.client = clients.register({
      callbackURLs: [callbackURL],
      clientID: '3MVG9__fake__schedules',
      clientSecret: isPublic ? false : '__fake_client_secret_of_schedules__',
      policy: {
        rotateRefreshTokens: rotates,
        expiresInSeconds: isCertain ? 600 : undefined,
        requirePkce: false,
        // Salesforce ends the oldest login where there are more, which no process could help.
        maxApprovals: 1_000,
      },
    });
  }

  /** Answers a request as the emulator does. */
  async answer(method: string, url: URL, headers: Headers, body: string): Promise<Reply> {
    const form = new URLSearchParams(body);
    const record: RecordedRequest = {
      method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(headers),
      body: Object.fromEntries(form),
      status: undefined,
      at: this.provider.clock.now(),
    };
    const exchange: Exchange = {
      record,
      method,
      path: url.pathname,
      query: url.searchParams,
      form,
      json: undefined,
      text: form.toString(),
      site: '',
      origin: url.origin,
      address: '127.0.0.1',
      params: {},
      closed: new Promise(() => undefined),
      header: (name) => headers.get(name) ?? undefined,
    };
    return (endpoints[url.pathname] ?? data)(this.provider, exchange);
  }

  /** What a person gets who logs in and approves: a code. */
  authorize(scopes: string[], who = 0): { code: string; codeVerifier: string } {
    const { provider, client } = this;
    const user = provider.users[who]!;
    provider.grants.approve(client, user, scopes);
    const codeVerifier = `verifier_of_login_${String(++this.#logins).padStart(32, '0')}`;
    const code = provider.codes.issue({
      client,
      user,
      scopes,
      redirectURI: callbackURL,
      nonce: undefined,
      codeChallenge: challengeOf(codeVerifier),
      site: '',
    });
    return { code, codeVerifier };
  }

  /** Writes down what a token reply gave away. Undefined where it is none, or has no refresh token. */
  note(form: URLSearchParams, reply: Reply): Grant | undefined {
    if (reply.status !== 200 || reply.json === undefined) return undefined;
    const { refresh_token: given, access_token: accessToken } = reply.json as Record<string, string | undefined>;
    if (accessToken === undefined) return undefined;
    const { grants } = this.provider;
    const grant =
      grants.findAccessToken(accessToken)?.grant ?? grants.grantOf(given ?? form.get('refresh_token') ?? '');
    if (!grant) return undefined;
    const known = this.grants.get(grant) ?? new Set();
    this.grants.set(grant, known.add(accessToken));
    return given === undefined && form.get('grant_type') === 'refresh_token' ? undefined : grant;
  }

  /** Whether Salesforce would still take anything of a grant. */
  isLive(grant: Grant): boolean {
    const { grants } = this.provider;
    const accessTokens = this.grants.get(grant) ?? [];
    return (
      (grant.refreshToken !== undefined && grants.isRefreshTokenLive(grant.refreshToken)) ||
      [...accessTokens].some((accessToken) => grants.findAccessToken(accessToken) !== undefined)
    );
  }
}

export { replyBody };

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}
