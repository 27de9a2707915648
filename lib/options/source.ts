import type { Request } from 'express';
import { isSalesforceAuthError, SalesforceAuthError } from '../errors';
import { parseConfiguration, type ClientOptions, type Configuration, type FetchFunction } from './configuration';

/** What a configuration is asked for: by a request, by a tenant's name (jobs, grants), by both or by neither. */
export interface ConfigurationContext {
  req?: Request | undefined;
  tenant?: string | undefined;
}

/** The operator's configuration service: gives the client for a request or a tenant; may change while the system runs. */
export type ConfigurationFunction = (context: ConfigurationContext) => ClientOptions | Promise<ClientOptions>;

/** Former clients remembered, so that a login or grant that began under one ends under it. */
const remembered = 100;

/** Where configurations come from: fixed options, or a function asked anew each time. */
export class ConfigurationSource {
  readonly #resolve: (context: ConfigurationContext) => Promise<Configuration>;
  readonly #recent = new Map<string, Configuration>();
  /** The configuration, where it is fixed. */
  readonly fixed: Configuration | undefined;

  constructor(source: Configuration | ConfigurationFunction) {
    if (typeof source === 'function') {
      this.#resolve = async (context) => {
        try {
          return parseConfiguration(await source(context));
        } catch (error) {
          if (isSalesforceAuthError(error)) throw error;
          throw new SalesforceAuthError(
            'ERR_SALESFORCE_CONFIGURATION',
            'The configuration function failed, so Salesforce cannot be asked. See the cause for where.',
            { status: 503, cause: error, retryAfterSeconds: 5 },
          );
        }
      };
    } else {
      this.fixed = source;
      this.#resolve = () => Promise.resolve(source);
    }
  }

  /** The configuration in force. @throws SalesforceOptionError, or SalesforceAuthError `ERR_SALESFORCE_CONFIGURATION` */
  async resolve(context: ConfigurationContext): Promise<Configuration> {
    const configuration = await this.#resolve(context);
    if (configuration !== this.fixed) this.#remember(configuration);
    return configuration;
  }

  /**
   * The configuration of a given client, though another one may be in force by now.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_CLIENT_CHANGED` where that client is configured no more
   */
  async resolveClient(clientID: string, context: ConfigurationContext): Promise<Configuration> {
    let failure: unknown;
    try {
      const configuration = await this.resolve(context);
      if (configuration.clientID === clientID) return configuration;
    } catch (error) {
      failure = error;
    }
    const former = this.#recent.get(clientID);
    if (former) return former;
    if (failure !== undefined) throw failure as Error;
    throw clientChanged();
  }

  /** The option `fetch` of a client that is known already; only for an unknown one a function is asked. */
  async fetchOf({ clientID, tenant }: { clientID: string; tenant?: string }): Promise<FetchFunction | undefined> {
    return (this.fixed ?? this.#recent.get(clientID) ?? (await this.resolve({ tenant }))).fetch;
  }

  #remember(configuration: Configuration): void {
    this.#recent.delete(configuration.clientID);
    this.#recent.set(configuration.clientID, configuration);
    if (this.#recent.size > remembered) {
      for (const oldest of this.#recent.keys()) {
        this.#recent.delete(oldest);
        break;
      }
    }
  }
}

/** A login or grant of an app or host the operator has replaced; what is stored of it stays, should it come back. */
export function clientChanged(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CLIENT_CHANGED',
    'The Salesforce app or host this login came from is not configured any more. Log in with Salesforce again.',
    { status: 401 },
  );
}
