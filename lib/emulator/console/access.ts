import type { Request } from 'express';

/** Whether a request comes from this machine, by a name of this machine: no other site's name may be pointed at it. */
export function isLocal({ socket, headers }: Request): boolean {
  return (
    /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/.test(socket.remoteAddress ?? '') &&
    /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(headers.host ?? '') &&
    headers['x-forwarded-for'] === undefined &&
    headers['forwarded'] === undefined
  );
}

/** Whether a form was sent by the console itself: there is no session whose cookie would stay away. */
export function isOwnForm({ headers }: Request): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === headers.host);
}
