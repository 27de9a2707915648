import type { Request } from 'express';
import { againParameter, parameterOf, withoutQuery } from '../query';
import type { AuthContext } from './context';
import { withQuery } from './login-intent';
import { sendOn } from './pages';
import { isSessionInStore, isSessionStrict } from './session';
import { isWithoutSession } from './stored-session';
import { isFramed, isNavigation, type Visit } from './visit';

const subject = 'query of a page that is opened again';

/**
 * Has a page opened again by a page of ours, if another site led the browser here and the session's cookie is strict: the browser may
 * have a session, and has left its cookie out. Without that session, a login would begin a second one. What the first one has would be
 * lost, such as a login of the application, and its logins could not be ended any more.
 *
 * The second request has the query of the first one, sealed, so that no page shows the code of a callback.
 *
 * @returns whether the request is answered
 */
export async function openAgain({ options }: AuthContext, { req, res }: Visit): Promise<boolean> {
  const { addresses, keys } = options;
  const sealed = parameterOf(req, againParameter);
  if (sealed !== undefined) {
    const query = await keys.open(subject, sealed);
    if (query !== undefined) req.url = `${withoutQuery(req.url)}?${query}`;
    return false;
  }
  if (!lacksStrictCookie(req)) return false;
  const current = addresses.currentPath(req);
  const path = withoutQuery(current);
  // express-session could send the cookie of the session that it has made for this request, in place of the one that the browser has.
  if (isSessionInStore(req)) Reflect.deleteProperty(req, 'session');
  sendOn(res, withQuery(path, { [againParameter]: await keys.seal(subject, current.slice(path.length + 1)) }));
  return true;
}

function lacksStrictCookie(req: Request): boolean {
  const isPage = req.get('sec-fetch-site') === 'cross-site' && isNavigation(req) && !isFramed(req);
  return isPage && isSessionStrict(req) && isWithoutSession(req);
}
