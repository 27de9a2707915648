import { Background } from '../../lib/coordinator/background';
import { GrantCache } from '../../lib/coordinator/cache';
import { GrantChanges } from '../../lib/coordinator/changes';
import { GrantCodec } from '../../lib/coordinator/codec';
import { EventHub } from '../../lib/coordinator/events';
import { GrantAccess } from '../../lib/coordinator/grant-access';
import { Outages } from '../../lib/coordinator/refresh/outages';
import { Rotation } from '../../lib/coordinator/refresh/rotation';
import { RotationTurn } from '../../lib/coordinator/refresh/rotation-turn';
import { Revocations } from '../../lib/coordinator/revocation';
import type { CoordinatorParts } from '../../lib/coordinator/parts';
import type { RefreshDeps } from '../../lib/coordinator/refresh/deps';
import { defaultRefreshSettings } from '../../lib/options/refresh';
import { MemoryTokenStore } from '../../lib';
import { recordWith } from '../../lib/coordinator/written';
import { parseConfiguration } from '../../lib/options/configuration';
import { ConfigurationSource } from '../../lib/options/source';
import type { GrantRecord } from '../../lib/stores/store';
import type { TokenSet } from '../../lib/token/types';
import { ManualClock } from '../helpers/clock';

export function tokensOf(changes: Partial<TokenSet> = {}): TokenSet {
  return {
    accessToken: '__fake_access_token__',
    refreshToken: '__fake_refresh_token__',
    scope: ['id', 'api', 'refresh_token'],
    instanceUrl: 'https://example.my.salesforce.com',
    organizationId: '00D000000000001AAA',
    userId: '005000000000001AAA',
    baseUrl: 'https://login.salesforce.com',
    clientID: '3MVG9__fake__',
    ...changes,
  };
}

export function recordOf(changes: Partial<GrantRecord> = {}): GrantRecord {
  const tokens = tokensOf();
  const { organizationId, userId, clientID } = tokens;
  return {
    ...recordWith({
      grantId: 'grant',
      generation: 'first',
      version: 1,
      payload: JSON.stringify(tokens),
      labels: { organizationId, userId, clientID },
      softMs: 60_000,
      hardMs: 90_000,
    }),
    ...changes,
  };
}

/** The parts of a coordinator on a store in memory, with a clock that is moved by hand. */
export function partsOf() {
  const clock = new ManualClock();
  const store = new MemoryTokenStore({ clock, sweepIntervalMs: 2_000_000_000 });
  const events = new EventHub();
  const source = new ConfigurationSource(
    parseConfiguration({ clientID: '3MVG9__fake__', callbackURL: 'http://localhost/callback' }),
  );
  const cache = new GrantCache();
  const parts: CoordinatorParts = {
    store,
    codec: new GrantCodec(undefined),
    source,
    clock,
    events,
    revocations: new Revocations(source, clock, events),
    settings: defaultRefreshSettings,
    report: () => undefined,
    changes: new GrantChanges(store, clock, () => undefined),
    closing: new AbortController().signal,
  };
  const access = new GrantAccess(parts, cache);
  const background = new Background(parts, access);
  const rotation = new Rotation(clock);
  const turn = new RotationTurn({ store, access }, rotation);
  const deps: RefreshDeps = { ...parts, access, background, outages: new Outages(clock), rotation, turn };
  return { ...parts, parts, deps, clock, store, cache, access };
}

/** Lets everything happen that waits for no time. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
