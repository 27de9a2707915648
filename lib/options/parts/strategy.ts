import { invalid } from '../check';
import { clock, flag, text, type Part } from '../spec';
import { loginOptions } from './calls';
import { clientLoginOptions, clientOptions } from './client';

/** Options of the strategy beside those of the client. */
export const strategyOptions = {
  passReqToCallback: { ...flag(false), text: 'Hand the request to the verify function first' },
  skipUserProfile: {
    values: 'boolean, or a function',
    default: '`false`',
    text: 'Load no profile; a function decides it, as in passport-oauth2',
    parse: parseSkip,
  },
  publicUrl: { values: 'as above', default: 'from the request', text: "The application's address as browsers see it" },
  name: { ...text('salesforce'), text: 'The name Passport knows the strategy by' },
  encryptionKeys: {
    values: 'array',
    default: 'derived from `clientSecret`, or random for this process',
    text: 'Encrypt pending logins; the same on every server',
  },
  state: { values: '`true`', default: 'always on', text: 'Accepted for compatibility', parse: parseState },
  pkce: { values: "`true` or `'S256'`", default: 'always S256', text: 'Accepted for compatibility', parse: parsePkce },
  clock,
} as const satisfies Part;

/** What a call of `passport.authenticate('salesforce', …)` can set. */
export const authenticateOptions = {
  prompt: { ...loginOptions.prompt },
  display: { ...loginOptions.display },
  loginHint: { ...clientLoginOptions.loginHint, default: 'that of the configuration' },
  scope: { ...loginOptions.scope },
  baseUrl: { ...loginOptions.baseUrl, default: 'that of the configuration' },
  callbackURL: { ...clientOptions.callbackURL, default: 'that of the configuration' },
  authorizationParams: { ...loginOptions.authorizationParams },
  silent: { ...loginOptions.silent },
  login_hint: { ...clientLoginOptions.loginHint, text: 'Another name for `loginHint`' },
  state: {
    values: 'anything',
    default: 'none',
    text: 'Comes back as `info.state`. The `state` on the wire is always random',
  },
} as const satisfies Part;

/** Options of `passport.authenticate()` itself, which Passport hands on to every strategy. */
export const passportOptions: Part = Object.fromEntries(
  [
    'assignProperty',
    'authInfo',
    'failWithError',
    'failureFlash',
    'failureMessage',
    'failureRedirect',
    'keepSessionInfo',
    'pauseStream',
    'session',
    'successFlash',
    'successMessage',
    'successRedirect',
    'successReturnToOrRedirect',
    'userProperty',
  ].map((name) => [name, { values: 'any', default: "Passport's", text: "Passport's own" }]),
);

function parseSkip(option: string, value: unknown): void {
  if (typeof value !== 'function' && value !== undefined && typeof value !== 'boolean') {
    throw invalid(option, 'true, false or a function');
  }
}

function parseState(option: string, value: unknown): void {
  if (value !== undefined && value !== true) {
    throw invalid(option, 'true or left out: it protects the login against CSRF');
  }
}

function parsePkce(option: string, value: unknown): void {
  if (value !== undefined && value !== true && value !== 'S256') {
    throw invalid(option, "true, 'S256' or left out: Salesforce knows no other method");
  }
}
