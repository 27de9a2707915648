import { GrantClient } from '../client/grant-client';
import { addressAndOptions } from '../client/request-input';
import type { ConnectionOptions } from '../client/connection';
import type { JsforceConnection } from '../client/jsforce';
import { isUnreadable, type GrantCodec } from '../coordinator/codec';
import { randomName } from '../crypto/random-name';
import type { TokenCoordinator } from '../coordinator/coordinator';
import { appGrantIdOf } from '../coordinator/grant';
import { requiresLogin } from '../errors';
import type { Configuration } from '../options/configuration';
import type { ConfigurationSource } from '../options/source';
import type { TokenStore } from '../stores/store';
import type { TokenSet } from '../token/types';
import { identityOf, type AppIdentity, type AppOptions } from './app-options';

/** How long the configuration counts, in milliseconds: an operator may change the client while the application runs. */
const configurationMs = 60_000;

/** What requesting and keeping an app token needs. */
export interface AppParts {
  coordinator: TokenCoordinator;
  store: TokenStore;
  source: ConfigurationSource;
  codec: GrantCodec;
  /** Stable secret that hides whose grant an id is. */
  idKey: string;
}

/**
 * The application's own access to Salesforce. Its token is a grant in the same store and under the same claims, so all
 * processes share one token. The grant belongs to no session and has no refresh token: a new token is requested instead.
 */
export class AppClient {
  readonly #options: AppOptions;
  readonly #parts: AppParts;
  #opening: Promise<GrantClient> | undefined;
  #openedAt = -Infinity;

  constructor(options: AppOptions, parts: AppParts) {
    this.#options = options;
    this.#parts = parts;
  }

  async getGrantId(): Promise<string> {
    return (await this.#open()).grantId;
  }

  getAccessToken(options?: { rejected?: string | undefined }): Promise<string> {
    return this.#use((client) => client.getAccessToken(options));
  }

  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    // Read here, since a `Request` can be read once, and may be sent with a second client.
    const [address, options] = await addressAndOptions(input, init);
    return this.#use((client) => client.fetch(address, options));
  }

  connection(options?: ConnectionOptions): Promise<JsforceConnection> {
    return this.#use((client) => client.connection(options));
  }

  /** Begins anew if an operator has logged the grant out, or the configuration has another client by now. */
  async #use<T>(run: (client: GrantClient) => Promise<T>): Promise<T> {
    const client = await this.#open();
    try {
      return await run(client);
    } catch (error) {
      if (!requiresLogin(error)) throw error;
      this.#opening = undefined;
      return run(await this.#open());
    }
  }

  #open(): Promise<GrantClient> {
    const now = this.#parts.coordinator.clock.monotonic();
    if (this.#opening && now - this.#openedAt < configurationMs) return this.#opening;
    this.#openedAt = now;
    const opening = this.#openAnew();
    this.#opening = opening;
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }

  async #openAnew(): Promise<GrantClient> {
    const { coordinator, source, idKey } = this.#parts;
    const { tenant, user, audience } = this.#options;
    const configuration = await source.resolve({ tenant });
    const identity = identityOf(this.#options, configuration);
    const { clientID } = configuration;
    const named = user === undefined ? undefined : audience;
    const grantId = appGrantIdOf({ clientID, tenant, ...identity, audience: named }, idKey);
    await this.#keepRecord(grantId, identity, configuration);
    return new GrantClient(coordinator, { grantId });
  }

  /** Makes sure that there is a record to claim. The first record has no token and counts as expired. */
  async #keepRecord(
    grantId: string,
    { user, baseUrl, audience }: AppIdentity,
    configuration: Configuration,
  ): Promise<void> {
    const { coordinator, store, codec } = this.#parts;
    const known = await coordinator.access.read(grantId);
    const live = known?.state === 'loggedOut' ? undefined : known;
    // No login replaces the record of a key that is gone, and a token of the application costs one request.
    if (live && !(await codec.decode(live).then(() => false, isUnreadable))) return;
    const { clientID, tenant } = configuration;
    const owner = { organizationId: '', userId: '', clientID, ...(tenant === undefined ? {} : { tenant }) };
    const none: TokenSet = {
      ...owner,
      accessToken: '',
      lifeMs: 0,
      scope: [],
      instanceUrl: new URL(baseUrl).origin,
      baseUrl,
      loginId: randomName(),
      app: user === undefined ? {} : { user, audience },
    };
    const payload = await codec.encode(grantId, none);
    // In a conflict another process was first, which serves as well.
    await coordinator.access.call('put', () =>
      store.put(grantId, {
        expected: live ?? null,
        generation: randomName(),
        writer: randomName(),
        payload,
        labels: owner,
        holder: randomName(),
        // No session holds it.
        holderMs: 1,
        softMs: 0,
        hardMs: 0,
      }),
    );
    coordinator.forget(grantId);
  }
}
