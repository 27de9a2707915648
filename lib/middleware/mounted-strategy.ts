import { loaded } from '../loaded';
import type { StrategyParts } from '../strategy/options';
import type { SalesforceStrategy } from '../strategy/strategy';
import type { ParsedOptions } from './options';

/**
 * The strategy that a middleware mounts, which is the one of `express-salesforce-auth/strategy`. It is loaded at the first
 * login, because passport-oauth2 takes long to load.
 */
export class MountedStrategy {
  readonly #parts: StrategyParts;
  #strategy: SalesforceStrategy | undefined;

  constructor(
    { source, addresses, keys, clock, tenant, settings, reporter }: ParsedOptions,
    parts: Pick<StrategyParts, 'claims' | 'defaultCallback' | 'onAbandoned'>,
  ) {
    this.#parts = {
      ...{ source, addresses, keys, clock, tenant, waitMs: settings.waitMs, ...parts },
      name: 'salesforce',
      passReqToCallback: false,
      skipUserProfile: false,
      receive: (login) => login,
      warn: (code, message) => {
        reporter.warn(code, message);
      },
    };
  }

  async load(): Promise<SalesforceStrategy> {
    const { SalesforceStrategy: Strategy } = await loaded(() => import('../strategy/strategy'));
    return (this.#strategy ??= new Strategy(this.#parts));
  }
}
