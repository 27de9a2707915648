import type { Request } from 'express';
import { BoundedMap } from '../bounded-map';
import { debugLogin } from '../debug';
import { parseJsonObject } from '../json-object';
import type { Configuration } from '../options/configuration';
import { isTrustedHost, parseUrl } from '../salesforce/hosts';
import type { AuthContext } from './context';
import { entryOf } from './session';

/** How long a logout waits for the discovery document, in milliseconds. */
const patienceMs = 5_000;

/** Organizations whose logout is remembered. */
const maxKnown = 1_000;

/**
 * Where organizations end browser sessions: `end_session_endpoint` of the discovery document (OpenID Connect RP-Initiated
 * Logout 1.0, section 2.1) of the user's My Domain or site. login.salesforce.com has none.
 */
export class EndSession {
  readonly #core: AuthContext;
  readonly #known = new BoundedMap<string, string>(maxKnown);

  constructor(core: AuthContext) {
    this.#core = core;
  }

  /** The logout of the current user's organization. Undefined if the organization has no logout, or does not answer in time. */
  async urlFor(req: Request): Promise<string | undefined> {
    const { coordinator, options } = this.#core;
    const entry = entryOf(req, options.session);
    if (!entry) return undefined;
    try {
      const grant = await coordinator.access.open(entry.grantId);
      if (!grant) return undefined;
      const { tokens } = grant;
      const configuration = await options.source.resolveClient(tokens.clientID, { req, tenant: tokens.tenant });
      const issuer = tokens.siteUrl ?? tokens.instanceUrl;
      const found = this.#known.get(issuer) ?? (await this.#discover(issuer, configuration));
      // An organization without a logout may get one later.
      if (found !== undefined) this.#known.set(issuer, found);
      const url = parseUrl(found ?? '');
      return url && isTrustedHost(url, configuration.trustedHosts) ? url.href : undefined;
    } catch {
      // The logout of this application must not depend on Salesforce.
      debugLogin('end_session_endpoint could not be found');
      return undefined;
    }
  }

  async #discover(issuer: string, { fetch }: Configuration): Promise<string | undefined> {
    const request = { method: 'GET', headers: { accept: 'application/json' } };
    const { clock } = this.#core.options;
    const network = { fetch, httpTimeoutMs: patienceMs };
    const { exchange } = await import('../token/http');
    const { status, text } = await exchange(`${issuer}/.well-known/openid-configuration`, request, network, clock);
    if (status !== 200) throw new Error('There is no discovery document.');
    const endpoint = parseJsonObject(text)?.['end_session_endpoint'];
    return typeof endpoint === 'string' ? endpoint : undefined;
  }
}
