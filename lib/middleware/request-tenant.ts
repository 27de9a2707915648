import type { Request } from 'express';
import type { TenantFunction } from '../options/source';

/**
 * Whose request it is, as the option `tenant` says.
 *
 * A login that began at another host of the application ends at the callback's host, which may be one of another tenant. From there on,
 * its callback is a request of the tenant it began with.
 */
export class RequestTenant {
  readonly of: TenantFunction;
  readonly #moved = new WeakMap<Request, string | undefined>();

  /** @param tenant the option, as it has been checked */
  constructor(tenant: TenantFunction) {
    this.of = (req) => (this.#moved.has(req) ? this.#moved.get(req) : tenant(req));
  }

  /** Notes the tenant of a login at its callback. The login's cookie is sealed, so no visitor has chosen that tenant. */
  note(req: Request, tenant: string | undefined): void {
    this.#moved.set(req, tenant);
  }
}
