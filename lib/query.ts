import type { Request } from 'express';

/** A path without its query. */
export function withoutQuery(path: string): string {
  const [start = ''] = path.split('?', 1);
  return start;
}

/**
 * A parameter of a request's query: undefined if it is absent, and empty if it is there more than once, which OAuth forbids
 * (RFC 6749, section 3.1).
 *
 * It is read from the address, since an application can turn Express's own parser off or replace it.
 */
export function parameterOf({ url }: Pick<Request, 'url'>, name: string): string | undefined {
  const start = url.indexOf('?');
  if (start === -1) return undefined;
  const values = new URLSearchParams(url.slice(start)).getAll(name);
  return values.length > 1 ? '' : values[0];
}

/** Whether a request has parameters of a callback (RFC 6749, section 4.1.2). */
export function isCallback(req: Pick<Request, 'url'>): boolean {
  return ['code', 'error', 'state'].some((name) => parameterOf(req, name) !== undefined);
}

/** Query parameter of a callback, or of Salesforce's logout, that a page of ours has opened again. */
export const againParameter = 'salesforce_again';

/** Whether a request has the answer of a login, as a page at the same path would not. */
export function isAnswer(req: Pick<Request, 'url'>): boolean {
  if (parameterOf(req, againParameter) !== undefined) return true;
  return (
    parameterOf(req, 'state') !== undefined && ['code', 'error'].some((name) => parameterOf(req, name) !== undefined)
  );
}
