// @ts-check

/**
 * Pages load nothing from other hosts and have no inline script or style. Forms stay at this application and at Salesforce.
 */
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
    // The form for a My Domain redirects to Salesforce. Browsers apply form-action to redirects too.
    const isLocal = settings.current.baseUrl?.startsWith('http:') ?? false;
    const formAction = `form-action 'self' https:${isLocal ? ' http://localhost:* http://127.0.0.1:*' : ''}`;
    res.set({
      'Content-Security-Policy': [...policy, formAction].join('; '),
      'X-Content-Type-Options': 'nosniff',
      // With `no-referrer`, browsers send `Origin: null`, and the check below would not work.
      'Referrer-Policy': 'same-origin',
      // The pages show personal data. The Back button must not show them after a logout.
      'Cache-Control': 'no-store',
    });
    next();
  };
}

/**
 * Refuses forms that another site sends. Browsers send no SameSite=Lax session cookie with such a form, but some forms here
 * work without a session.
 *
 * @type {import('express').RequestHandler}
 */
export function refuseForeignPosts(req, _res, next) {
  if (req.method === 'GET' || req.method === 'HEAD' || isOwnPost(req)) return next();
  next(Object.assign(new Error('Another site sent this form.'), { status: 403, expose: true }));
}

/** @param {import('express').Request} req */
function isOwnPost(req) {
  const site = req.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const origin = req.get('origin');
  // Neither header: the client is not a browser, so no user can be tricked.
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === req.get('host'));
}

/**
 * Guards pages that change the application. They open only in development, and only for browsers on this machine.
 *
 * The host name is checked too, because another site can let its name resolve to this machine.
 *
 * @type {import('express').RequestHandler}
 */
export function onlyHere(req, _res, next) {
  if (isHere(req)) return next();
  next(
    Object.assign(new Error('This page opens only in development, on the machine of the application.'), {
      status: 403,
      expose: true,
    }),
  );
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
