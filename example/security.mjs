// @ts-check

/** What a page may load and where its forms may lead: nothing from elsewhere, and no script or style in the page itself. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
];

/**
 * Headers of every page.
 *
 * @param {import('./settings.mjs').Settings} settings
 * @returns {import('express').RequestHandler}
 */
export function securityHeaders(settings) {
  return function setSecurityHeaders(_req, res, next) {
    // The form for a My Domain ends at Salesforce by a redirect, which browsers hold against form-action as well.
    const isLocal = settings.current.baseUrl?.startsWith('http:') ?? false;
    const formAction = `form-action 'self' https:${isLocal ? ' http://localhost:* http://127.0.0.1:*' : ''}`;
    res.set({
      'Content-Security-Policy': [...policy, formAction].join('; '),
      'X-Content-Type-Options': 'nosniff',
      // Not `no-referrer`: with it browsers send `Origin: null`, and the check below could tell nothing.
      'Referrer-Policy': 'same-origin',
      // The pages show personal data, which no Back button may bring back after a logout.
      'Cache-Control': 'no-store',
    });
    next();
  };
}

/**
 * Refuses forms that another site posts. The session cookie is SameSite=Lax and would not come along; but not every form
 * here needs a session to do something.
 *
 * @type {import('express').RequestHandler}
 */
export function refuseForeignPosts(req, _res, next) {
  if (req.method === 'GET' || req.method === 'HEAD' || isOwnPost(req)) return next();
  next(Object.assign(new Error('This form was sent by another site.'), { status: 403, expose: true }));
}

/** @param {import('express').Request} req */
function isOwnPost(req) {
  const site = req.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const origin = req.get('origin');
  // Neither: no browser, and so nobody who could be tricked.
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === req.get('host'));
}

/**
 * Lets through only who sits at this machine, while it is used for development: for pages that change the application.
 *
 * The name in the URL is checked as well as the address, so that no other site's name can be pointed at this machine.
 *
 * @type {import('express').RequestHandler}
 */
export function onlyHere(req, _res, next) {
  if (isHere(req)) return next();
  next(Object.assign(new Error('This page is for development, on the machine itself.'), { status: 403, expose: true }));
}

/** @param {import('express').Request} req */
export function isHere(req) {
  const isForwarded = req.get('x-forwarded-for') !== undefined || req.get('forwarded') !== undefined;
  return (
    process.env.NODE_ENV !== 'production' &&
    !isForwarded &&
    /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/.test(req.socket.remoteAddress ?? '') &&
    /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(req.get('host') ?? '')
  );
}
