import type { Request } from 'express';
import type { Reporter } from '../reporter';

/** Headers in which a proxy passes on the address that the browser used, in their usual spelling. */
const headers = { 'x-forwarded-proto': 'X-Forwarded-Proto', 'x-forwarded-host': 'X-Forwarded-Host' } as const;

/**
 * Makes a check that tells the operator once that a proxy sends headers which Express ignores. Callback URL, links and secure
 * cookies are then those of the connection between the proxy and the application.
 *
 * A visitor can send such headers too, so the warning says so. After the first request with such a header the check
 * does nothing more.
 */
export function forwardedCheck(reporter: Reporter): (req: Request) => void {
  let isDone = false;
  return (req) => {
    if (isDone) return;
    const name = forwardedHeader(req);
    if (name === undefined) return;
    const { app, socket } = req as Partial<Request>;
    const trusts = app?.get('trust proxy fn') as ((address: string | undefined, hop: number) => boolean) | undefined;
    if (!trusts) return;
    isDone = true;
    if (trusts(socket?.remoteAddress, 0)) return;
    reporter.warn(
      'TRUST_PROXY',
      `A request has the header ${headers[name]}, and Express ignores the header, since its setting 'trust proxy' does not ` +
        "name the sender. If a proxy is in front of this application, name the proxy: app.set('trust proxy', 1). If there is " +
        'no proxy, a visitor has sent the header, and there is nothing to do.',
    );
  };
}

/** On the path of every request. */
function forwardedHeader({ headers: sent }: Request): keyof typeof headers | undefined {
  if (sent['x-forwarded-proto'] !== undefined) return 'x-forwarded-proto';
  return sent['x-forwarded-host'] === undefined ? undefined : 'x-forwarded-host';
}
