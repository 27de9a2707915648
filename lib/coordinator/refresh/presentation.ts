import type { Clock } from '../../clock';
import type { SalesforceAuthError } from '../../errors';
import { loaded } from '../../loaded';
import type { Configuration } from '../../options/configuration';
import { readIdentityUrl } from '../../salesforce/identity-url';
import { TokenClient } from '../../token/client';
import type { LeaveGate } from '../../token/host-gates';
import type { SendGuard } from '../../token/send-guard';
import { identityChanged, refreshTokenSet } from '../../token/token-set';
import type { TokenSet } from '../../token/types';
import { askAt, placesOf } from '../places';
import type { Introspection } from './verdict';

/** New tokens, and what is wrong beside them. */
export interface Refreshed {
  tokens: TokenSet;
  problem: SalesforceAuthError | undefined;
}

/** A refresh token and where it can be presented, or asked about: at the host it came from or, if that is gone, at others. */
export class Presentation {
  readonly #tokens: TokenSet;
  readonly #configuration: Configuration;
  readonly #clock: Clock;

  constructor(tokens: TokenSet, configuration: Configuration, clock: Clock) {
    this.#tokens = tokens;
    this.#configuration = configuration;
    this.#clock = clock;
  }

  /**
   * Presents the refresh token, or asks for another app token.
   *
   * @param guard asked before the first byte is sent, at each host
   * @param first place among the requests to the first host. At another host a place has to be free: the claim is taken
   * @throws TokenRequestError, `ERR_SALESFORCE_IDENTITY_CHANGED`, or a transport error
   */
  async send(guard: SendGuard, first: LeaveGate): Promise<Refreshed> {
    const { app, loginId, refreshToken = '', baseUrl } = this.#tokens;
    if (app)
      return {
        tokens: { ...(await this.#askForAppToken(app, guard, first)), ...(loginId && { loginId }) },
        problem: undefined,
      };
    const { answer, place } = await this.#ask(async (client, at) => {
      if (at === baseUrl) return client.refreshTokenGrant(refreshToken, guard, first);
      const leave = client.takeFreePlace();
      try {
        return await client.refreshTokenGrant(refreshToken, guard, leave);
      } finally {
        leave();
      }
    });
    // Another host may serve another organization: it has to say whose tokens these are.
    if (place !== this.#tokens.baseUrl && !readIdentityUrl(answer.id)) throw identityChanged();
    return refreshTokenSet({ ...this.#tokens, baseUrl: place }, answer, this.#configuration);
  }

  /** An application without app tokens loads nothing of them. */
  async #askForAppToken(app: NonNullable<TokenSet['app']>, guard: SendGuard, place: LeaveGate): Promise<TokenSet> {
    const { requestAppToken } = await loaded(() => import('../../app/app-token'));
    const { baseUrl } = this.#tokens;
    return requestAppToken({ baseUrl, app }, this.#configuration, { clock: this.#clock, guard, place });
  }

  /** Asks whether the refresh token is still good, without presenting it. */
  async introspect(): Promise<{ said: Introspection; error?: unknown }> {
    try {
      const { refreshToken = '', baseUrl } = this.#tokens;
      const { answer, place } = await this.#ask(
        (client) => client.introspectRefreshToken(refreshToken),
        (said) => said === 'active',
      );
      // Another host may not know the refresh token, and then says that it is not active.
      const isProof = answer === 'active' || (answer === 'inactive' && place === baseUrl);
      return { said: isProof ? answer : 'does not tell' };
    } catch (error) {
      return { said: 'cannot be asked', error };
    }
  }

  #ask<T>(
    ask: (client: TokenClient, place: string) => Promise<T>,
    isWanted?: (answer: T) => boolean,
  ): Promise<{ answer: T; place: string }> {
    const places = placesOf(this.#tokens, this.#configuration);
    return askAt(places, (place) => ask(new TokenClient(this.#configuration, place, this.#clock), place), isWanted);
  }
}
