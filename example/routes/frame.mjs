// @ts-check
import { isHere } from '../security.mjs';

/**
 * Makes the frame around every page.
 *
 * @param {Pick<import('./parts.mjs').Parts, 'settings' | 'emulator' | 'offline'> & { servedBy?: string | undefined }} parts
 * @returns {(req: import('express').Request) => import('../pages/layout.mjs').Frame}
 */
export function frames({ settings, emulator, offline, servedBy }) {
  return (req) => {
    // An error page may be needed before the middleware has run.
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
 * Whether logins go to the emulator. The setup page may have set another host.
 *
 * @param {import('../settings.mjs').Settings} settings
 * @param {{ url: string } | undefined} emulator
 */
export function isOffline(settings, emulator) {
  return emulator !== undefined && settings.current.baseUrl === emulator.url;
}

/**
 * Shows a notice on the next page.
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
