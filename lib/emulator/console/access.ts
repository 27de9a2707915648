import type { Request } from 'express';

/**
 * Whether a request comes from this machine and names this machine in its Host header. The header is checked because another
 * site can let its name resolve to this machine.
 */
export function isLocal({ socket, headers }: Request): boolean {
  return (
    /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/.test(socket.remoteAddress ?? '') &&
    /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(headers.host ?? '') &&
    headers['x-forwarded-for'] === undefined &&
    headers['forwarded'] === undefined
  );
}

/** Whether the console itself sent a form. The console has no session, so no SameSite cookie protects its forms. */
export function isOwnForm({ headers }: Request): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === headers.host);
}
