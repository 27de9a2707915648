// @ts-check
import { isHere } from '../security.mjs';

/**
 * Makes what every page shows around its content.
 *
 * @param {Pick<import('./parts.mjs').Parts, 'settings' | 'emulator' | 'offline'> & { servedBy?: string | undefined }} parts
 * @returns {(req: import('express').Request) => import('../pages/layout.mjs').Frame}
 */
export function frames({ settings, emulator, offline, servedBy }) {
  return (req) => {
    // An error page may be wanted before the middleware has run.
    const user = /** @type {Partial<typeof req>} */ (req).salesforce?.user;
    const notice = takeNotice(req);
    return {
      ...(user && { user }),
      ...(notice !== undefined && { notice }),
      ...(servedBy !== undefined && { servedBy }),
      isOffline: isOffline(settings, offline),
      hasFaults: isOffline(settings, emulator),
      hasSetup: isHere(req),
      path: req.path,
    };
  };
}

/**
 * Whether the emulator stands in for Salesforce: the setup page may have put another host into force.
 *
 * @param {import('../settings.mjs').Settings} settings
 * @param {{ url: string } | undefined} emulator
 */
export function isOffline(settings, emulator) {
  return emulator !== undefined && settings.current.baseUrl === emulator.url;
}

/**
 * Says something on the next page.
 *
 * @param {import('express').Request} req
 * @param {string} notice
 */
export function leaveNotice(req, notice) {
  req.session.notice = notice;
}

/** @param {import('express').Request} req */
function takeNotice(req) {
  const session = /** @type {Partial<typeof req>} */ (req).session;
  const notice = session?.notice;
  if (notice !== undefined) delete session?.notice;
  return notice;
}
