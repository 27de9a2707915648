import type { Request } from 'express';
import { BoundedMap } from '../bounded-map';
import { systemClock, within, type Clock } from '../clock';
import { isSalesforceAuthError, SalesforceAuthError } from '../errors';
import { isTrustedHost } from '../salesforce/hosts';
import { answerNow, invalid } from './check';
import { keyOfClient, parseConfiguration, type ClientOptions, type Configuration } from './configuration';
import type { FetchFunction } from './fetch-function';

/** What a configuration is asked for. */
export interface ConfigurationContext {
  /** Whose client it is, as the option `tenant` named it; undefined for an application without tenants. */
  tenant?: string | undefined;
  /** The client that a login or grant belongs to, if there is one already; another client may be in force by now. */
  clientID?: string | undefined;
  /** The request, if there is one: for logins. Refreshes, revocations and jobs have none. */
  req?: Request | undefined;
}

/**
 * The operator's configuration service: gives the client of a tenant, and may change while the system runs. It is asked for
 * logins, refreshes and revocations only. It has 30 seconds to answer.
 */
export type ConfigurationFunction = (context: ConfigurationContext) => ClientOptions | Promise<ClientOptions>;

/** Says whose request it is. It is called for each guarded request, and must not wait. */
export type TenantFunction = (req: Request) => string | undefined;

/** Clients remembered, so that a login or grant that began under one ends under that one. */
const maxRemembered = 1_000;

/**
 * How long a configuration function may take, in milliseconds. It is no option of the client, since no client is known before the
 * answer.
 */
const answerWithinMs = 30_000;

/** Where configurations come from: fixed options, or a function that is asked anew each time. */
export class ConfigurationSource {
  readonly #resolve: (context: ConfigurationContext) => Promise<Configuration>;
  readonly #remembered = new BoundedMap<string, Configuration>(maxRemembered);
  /** The configuration, if it is fixed. */
  readonly fixed: Configuration | undefined;

  /** @param publicUrls addresses of the application, which are no base URL of a configuration */
  constructor(
    source: Configuration | ConfigurationFunction,
    { publicUrls = [], clock = systemClock }: { publicUrls?: readonly unknown[]; clock?: Clock } = {},
  ) {
    if (typeof source === 'function') {
      this.#resolve = async (context) => {
        try {
          // A late answer is ignored. The request has failed by then.
          const given = await within(clock, answerWithinMs, Promise.resolve(source(context)), silent);
          return parseConfiguration(checkGiven(given), { tenant: context.tenant, publicUrls });
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
    this.#remembered.set(keyOfClient(configuration), configuration);
    return configuration;
  }

  /**
   * The configuration of a tenant's client, though that tenant may have another client by now. What one tenant has given is
   * never used for another, also if both name the same client.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_CLIENT_CHANGED` if that client is not configured any more
   */
  async resolveClient(clientID: string, context: ConfigurationContext): Promise<Configuration> {
    let failure: unknown;
    try {
      const configuration = await this.resolve({ ...context, clientID });
      if (configuration.clientID === clientID) return configuration;
    } catch (error) {
      failure = error;
    }
    const former = this.#remembered.get(keyOfClient({ tenant: context.tenant, clientID }));
    if (former) return former;
    if (failure !== undefined) throw failure as Error;
    throw clientChanged();
  }

  /** The option `fetch` of a client. */
  async fetchOf(client: { clientID: string; tenant?: string }): Promise<FetchFunction | undefined> {
    return (await this.#known(client)).fetch;
  }

  /** Origins of the option `apiHosts` of a client. */
  async apiOriginsOf(client: { clientID: string; tenant?: string }): Promise<readonly string[]> {
    return (await this.#known(client)).apiOrigins;
  }

  /** Whether a token of a client may be sent to a URL. */
  async trustOf(client: { clientID: string; tenant?: string }): Promise<(url: URL) => boolean> {
    const { trustedHosts } = await this.#known(client);
    return (url) => isTrustedHost(url, trustedHosts);
  }

  /** The configuration of a client that is known already; only for an unknown one a function is asked. */
  async #known({ clientID, tenant }: { clientID: string; tenant?: string }): Promise<Configuration> {
    return (
      this.fixed ??
      this.#remembered.get(keyOfClient({ tenant, clientID })) ??
      (await this.resolve({ tenant, clientID }))
    );
  }
}

function silent(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CONFIGURATION',
    `The configuration function did not answer within ${answerWithinMs / 1000} seconds, so Salesforce cannot be asked. Give its own ` +
      'requests a time limit.',
    { status: 503, retryAfterSeconds: 5 },
  );
}

/** A tenant that is not known is a common mistake: the function finds nothing, and gives that. */
function checkGiven(options: unknown): ClientOptions {
  if (typeof options === 'object' && options !== null) return options as ClientOptions;
  throw invalid('configuration', `a function that gives an object with clientID; it gave ${typeof options}`);
}

/** The option `tenant`, whose answer is checked each time. */
export function checkedTenant(tenant: TenantFunction | undefined): TenantFunction | undefined {
  if (!tenant) return undefined;
  return (req) => {
    const name = answerNow('tenant', () => tenant(req));
    if (name === undefined || typeof name === 'string') return name;
    throw invalid('tenant', `a function that gives a string or undefined; it gave ${typeof name}`);
  };
}

/** A login or grant of an app or host that the operator has replaced. What is stored of it stays, in case it comes back. */
export function clientChanged(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CLIENT_CHANGED',
    'The Salesforce app or host this login came from is not configured any more. Log in with Salesforce again.',
    { status: 401 },
  );
}
