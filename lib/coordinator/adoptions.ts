import { createHmac } from 'node:crypto';
import type { AdoptionStep, TokenSet } from '../token/types';
import { Contention } from './contention';
import { randomName } from '../crypto/random-name';
import type { TokenCoordinator } from './coordinator';
import { loggedOut, loginRequired, storeFailed } from './failures';
import type { GrantKey } from './grant';
import type { OpenGrant } from './grant-access';
import { tombstoneMs, type Grants } from './grants';
import type { GivenParts } from './parts';

/** How long an adopted refresh token is recognized, beside the retention of the store. */
const knownMs = 365 * 24 * 60 * 60 * 1000;

/** The holder of an adoption's record. */
const holder = 'adoption';

/** A refresh token that the application had before, and the host it belongs to. */
export interface GivenToken {
  refreshToken: string;
  clientID: string;
  tenant: string | undefined;
  baseUrl: string;
  scope: readonly string[];
}

/** Tokens whose user Salesforce has named. They are stored, but not yet in the grant of that user. */
export interface ProvenTokens {
  tokens: TokenSet;
  /** The record they are in. */
  found: OpenGrant;
}

/**
 * Refresh tokens that an application has had before, on their way to the grants of their users.
 *
 * Whose a refresh token is, and so which grant it belongs to, is known only after it has been presented. Until then it is in a
 * record of its own, whose id is a digest of the token. That record is refreshed as a grant is: it is claimed and marked before
 * the token is presented, for all processes; the reply is stored before it is used; and an answer that was lost is looked into.
 * Afterwards the record remembers where the tokens went, so that the same token, given again, is not presented again.
 */
export class Adoptions {
  readonly #parts: GivenParts;
  readonly #coordinator: TokenCoordinator;
  readonly #grants: Grants;
  readonly #idKey: string;

  /** @param idKey stable secret, as that of the grants; empty for none */
  constructor(
    parts: GivenParts,
    { coordinator, grants }: { coordinator: TokenCoordinator; grants: Grants },
    idKey: string,
  ) {
    this.#parts = parts;
    this.#coordinator = coordinator;
    this.#grants = grants;
    this.#idKey = idKey;
  }

  /**
   * Has Salesforce say whose a refresh token is, by one refresh.
   *
   * @returns the tokens; or the user's grant, if the token was adopted before
   * @throws SalesforceAuthError `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` if Salesforce refuses the token; others (502, 503)
   *   if it is not known yet
   */
  async prove(given: GivenToken): Promise<ProvenTokens | GrantKey> {
    const { access } = this.#coordinator;
    const id = this.#idOf(given);
    return this.#untilStored(async () => {
      const found = (await access.open(id)) ?? (await this.#begin(id, given));
      if (!found) return undefined;
      const { tokens, record } = found;
      if (tokens.adoption === 'refused')
        throw loginRequired('The user of this refresh token may not use the application.');
      if (typeof tokens.adoption === 'object') {
        return { grantId: this.#grants.idOf(tokens), generation: tokens.adoption.generation };
      }
      if (tokens.adoption === 'moving') return this.#goOn(found);
      // Fresh, unless an earlier adoption got no further. Tokens that are being refreshed, here or elsewhere, are waited for.
      const isFresh = record.state === 'idle' && record.softInMs !== null && record.softInMs > 0;
      if (isFresh && tokens.organizationId !== '') return { tokens, found };
      if (record.state === 'ended' && (await this.#beginElsewhere(found, given))) return undefined;
      await this.#coordinator.refresh({ grantId: id, generation: record.generation }, 'adoption');
      return undefined;
    });
  }

  /**
   * Gives proven tokens to the grant of their user, which is made if there is none. A grant that is alive keeps its tokens,
   * and the given ones are revoked if they are others.
   *
   * @returns undefined if another process was first: then {@link prove} tells what came of it
   */
  async settle({ tokens, found }: ProvenTokens, sessionTimeoutSeconds: number): Promise<GrantKey | undefined> {
    // From here on no attempt refreshes the record: its tokens are in the grant.
    const moving = await this.#write(found, { ...tokens, adoption: 'moving' });
    if (!moving) return undefined;
    const { adoption: _step, ...own } = tokens;
    // They may have waited in the record since their refresh.
    if (own.lifeMs !== undefined) own.lifeMs = Math.max(0, own.lifeMs - found.record.tokensAgeMs);
    // The holder ends at once. Sessions come later, and the last logout logs the grant out.
    const { grantId, generation } = await this.#grants.establish(
      own,
      { sessionTimeoutSeconds, holderMs: 1 },
      'grant.adopted',
    );
    return this.#end(moving, { grantId, generation });
  }

  /** Revokes proven tokens of a user who may not use the application. */
  async refuse({ tokens, found }: ProvenTokens): Promise<void> {
    await this.#write(found, without(tokens, 'refused'));
    void this.#grants.discard(tokens);
  }

  /** Goes on with an adoption whose process is slower, or has died, while it gave the tokens to the grant of the user. */
  async #goOn(found: OpenGrant): Promise<ProvenTokens | GrantKey> {
    const { record, tokens } = found;
    const grantId = this.#grants.idOf(tokens);
    const grant = await this.#coordinator.access.read(grantId);
    const own = grant && grant.state !== 'loggedOut' ? await this.#coordinator.access.open(grantId) : undefined;
    if (own && own.tokens.loginId === tokens.loginId) return this.#end(found, own.record);
    // If the user logged out meanwhile, the tombstone shows it.
    const isRecent = record.tokensAgeMs < tombstoneMs;
    if (isRecent && grant?.state !== 'loggedOut') return { tokens, found };
    // The tokens may have been in the grant before and replaced since. They are not put there again.
    void this.#grants.discard(tokens);
    await this.#end(found, own?.record ?? { grantId, generation: record.generation });
    if (own) return { grantId, generation: own.record.generation };
    throw loggedOut();
  }

  /** Forgets the tokens, and remembers where they are. */
  async #end(found: OpenGrant, { grantId, generation }: { grantId: string; generation: string }): Promise<GrantKey> {
    // If this is not stored, the next adoption of the same token finds out where the tokens are.
    await this.#write(found, without(found.tokens, { generation })).catch(() => undefined);
    return { grantId, generation };
  }

  /** Stores the token that is to be proven. Undefined if another process stored it at the same time. */
  async #begin(
    id: string,
    { refreshToken, clientID, tenant, baseUrl, scope }: GivenToken,
  ): Promise<OpenGrant | undefined> {
    const tokens: TokenSet = {
      ...{ accessToken: '', refreshToken, clientID, baseUrl, scope },
      ...(tenant === undefined ? {} : { tenant }),
      ...{ instanceUrl: baseUrl, organizationId: '', userId: '', loginId: randomName() },
    };
    const generation = randomName();
    const isWritten = await this.#put({ id, generation, version: undefined }, tokens);
    return isWritten && (await this.#coordinator.access.open(id));
  }

  /**
   * Begins anew at another host if one has refused the token, which may have come from the other host.
   *
   * @returns whether the record has changed
   */
  async #beginElsewhere({ record, tokens }: OpenGrant, { baseUrl }: GivenToken): Promise<boolean> {
    if (tokens.organizationId !== '' || tokens.baseUrl === baseUrl) return false;
    await this.#write({ record, tokens }, { ...tokens, baseUrl, instanceUrl: baseUrl });
    return true;
  }

  /** Writes over a record that has not changed meanwhile; undefined if it has. */
  async #write({ record }: OpenGrant, tokens: TokenSet): Promise<OpenGrant | undefined> {
    const { grantId, generation, version } = record;
    const written = await this.#put({ id: grantId, generation, version }, tokens);
    return written && { record: { ...record, version: written.version, tokensAgeMs: 0 }, tokens };
  }

  async #put(
    { id, generation, version }: { id: string; generation: string; version: number | undefined },
    tokens: TokenSet,
  ): Promise<{ version: number } | undefined> {
    const { codec, store } = this.#parts;
    const { clientID, tenant } = tokens;
    const write = {
      expected: version === undefined ? null : { generation, version },
      generation,
      writer: randomName(),
      payload: await codec.encode(id, tokens),
      // Without a user, the record is not listed among the grants.
      labels: { organizationId: '', userId: '', clientID, ...(tenant === undefined ? {} : { tenant }) },
      ...{ holder, holderMs: knownMs },
      // Only an adoption refreshes it.
      ...{ softMs: null, hardMs: null },
    };
    const written = await this.#coordinator.access.call('put', () => store.put(id, write));
    this.#coordinator.forget(id);
    return written.outcome === 'written' ? written : undefined;
  }

  /** Looks anew as long as another process, or the refresh, has changed the record. */
  async #untilStored<T>(look: () => Promise<T | undefined>): Promise<T> {
    const contention = new Contention(this.#parts.clock, this.#parts.settings.waitMs);
    do {
      const result = await look();
      if (result !== undefined) return result;
    } while (await contention.mayTryAgain());
    throw storeFailed('put', new Error('The record of an adoption kept changing.'));
  }

  #idOf({ refreshToken, clientID, tenant }: GivenToken): string {
    return createHmac('sha256', `express-salesforce-auth/adoption/1|${this.#idKey}`)
      .update(JSON.stringify([refreshToken, clientID, tenant]))
      .digest('base64url');
  }
}

/**
 * What the record keeps after its tokens have moved to a grant. The text in the place of the access token differs from the one
 * before the refresh, so that a process that waits for the refresh sees its end.
 */
function without({ refreshToken: _spent, lifeMs: _life, ...tokens }: TokenSet, adoption: AdoptionStep): TokenSet {
  return { ...tokens, accessToken: 'adopted', scope: [], adoption };
}
