import type { Request, RequestHandler } from 'express';
import { errorFrom } from '../errors';
import { loaded } from '../loaded';
import { parsePart } from '../options/names';
import { credentialsLoginOptions, loginOptions } from '../options/parts/calls';
import type { AuthContext } from './context';
import type { CredentialsLoginOptions, PostedCredentials } from './credentials-login';
import type { LoginOptions } from './login-route';

/** The routes of a login. What they do is loaded at the first login. */
const loadSteps = () => loaded(() => import('./login-steps'));

/**
 * Makes route handlers that send the browser to Salesforce.
 *
 * @throws SalesforceOptionError at once for a wrong option
 */
export function loginRoute(core: AuthContext, options: LoginOptions = {}): RequestHandler {
  parsePart(loginOptions, options, 'login()');
  return handler(core, async (req, res) => {
    const { startLogin } = await loadSteps();
    await startLogin(core, options, { req, res });
  });
}

/** The route to which Salesforce sends the browser back. */
export function callbackRoute(core: AuthContext): RequestHandler {
  return handler(core, async (req, res) => {
    const { endLogin } = await loadSteps();
    await endLogin(core, { req, res });
  });
}

/**
 * A route handler for the application's own login form, for users of an Experience Cloud site. Mount it on POST, behind
 * `express.urlencoded()` or `express.json()`. It takes the password out of `req.body`, so that nothing after it can log it.
 *
 * @throws SalesforceOptionError at once for a wrong option
 */
export function credentialsLogin(core: AuthContext, options: CredentialsLoginOptions = {}): RequestHandler {
  const { scope, credentialsIn } = parsePart(credentialsLoginOptions, options, 'credentialsLogin()');
  const checked = { ...options, credentialsIn, scope: options.scope === undefined ? undefined : scope };
  return handler(core, async (req, res) => {
    res.set('Cache-Control', 'no-store');
    const given = takeCredentials(req);
    const { logInWithCredentials } = await loadSteps();
    await logInWithCredentials(core, checked, { req, res, given });
  });
}

/** The page on which the user chooses where to log in. */
export function choiceRoute(core: AuthContext): RequestHandler {
  return (req, res, next) => {
    loadSteps()
      .then(({ showPicker }) => showPicker(core, { req, res }))
      .catch((error: unknown) => {
        core.report(error);
        next(errorFrom(error));
      });
  };
}

/** A route that tells the operator if it fails. */
function handler(core: AuthContext, run: (...visit: HandlerArguments) => Promise<void>): RequestHandler {
  return (req, res, next) => {
    run(req, res).catch((error: unknown) => {
      core.noteFailedLogin(error);
      next(errorFrom(error));
    });
  };
}

type HandlerArguments = [req: Request, res: Parameters<RequestHandler>[1]];

/** The posted credentials. The password is removed from the request, so that nothing can log or show it later. */
function takeCredentials(req: Request): PostedCredentials {
  const body: unknown = req.body;
  if (typeof body !== 'object' || body === null) return {};
  if (Array.isArray(body)) {
    req.body = {};
    return {};
  }
  const given = { ...body } as PostedCredentials;
  if (!Reflect.deleteProperty(body, 'password')) {
    // A frozen body keeps its password, so that a copy without it takes its place.
    const { password: _password, ...rest } = given;
    req.body = rest;
  }
  return given;
}
