import type { AppLogin } from '../../emulator/app-login';
import type { AppAge } from '../../emulator/policy';
import type { CookieJar, ScriptedLogin } from '../../emulator/scripted-login';
import type { TokenFilter } from '../../emulator/state/token-filter';
import { invalid, isPlainObject, optionalBoolean } from '../check';
import { text, word, type OptionSpec, type Part } from '../spec';
import { optionalTexts, parseCallbackURLs, parseClientSecret, parsePolicy, policyOptions } from './emulator';

/** The key of a client at the emulator, as `replaceKey()` takes it. */
export const keyOptions = {
  publicKey: { values: 'JWK', default: 'none', text: 'Public key of the client', parse: parsePublicKey },
  certificate: { ...text(), text: 'Certificate with the public key, as PEM' },
} as const satisfies Part;

/** Options of a client that is registered with a running emulator. */
export const registrationOptions = {
  callbackURLs: { values: 'array of URLs', default: 'required', text: 'Callback URLs', parse: parseCallbackURLs },
  policy: {
    values: 'object',
    default: 'those of the `app`',
    text: 'Switches of the client',
    options: policyOptions,
    parse: parsePolicy,
  },
  app: { ...word<AppAge>(['current', 'legacy']), text: 'The kind of app' },
  clientID: { ...text(), text: 'Consumer Key' },
  clientSecret: {
    values: 'string; or `false`',
    default: 'a random fake one',
    text: 'Consumer Secret; `false` makes the client public',
    parse: parseClientSecret,
  },
  scopes: { values: 'array of scopes', default: 'none', text: '`policy.assignedScopes`', parse: optionalTexts },
  ...keyOptions,
} as const satisfies Part;

const yesOrNo = { values: 'boolean', default: 'none', parse: optionalBoolean };

/** Options of a user that is added to a running emulator. */
export const newUserOptions = {
  username: { ...text(), text: 'Name to log in with' },
  password: { ...text(), text: 'Fake password' },
  organizationId: { ...text(), text: 'Organization of the user' },
  displayName: { ...text(), text: 'Name as pages show it' },
  firstName: { ...text(), text: 'First name' },
  lastName: { ...text(), text: 'Last name' },
  email: { ...text(), text: 'Email address' },
  emailVerified: { ...yesOrNo, text: 'Whether the address is verified' },
  language: { ...text(), text: 'Language' },
  locale: { ...text(), text: 'Locale' },
  timezone: { ...text(), text: 'Time zone' },
  active: { ...yesOrNo, text: 'Whether the user can log in' },
  apiOnly: { ...yesOrNo, text: 'Whether the user may use the API alone' },
} as const satisfies Part;

/** A choice of tokens. */
export const tokenFilterOptions = {
  username: { ...text(), text: 'Name of the user' },
  userId: { ...text(), text: 'Id of the user' },
  organizationId: { ...text(), text: 'Organization of the user' },
  clientID: { ...text(), text: 'Consumer Key of the client' },
} as const satisfies Record<keyof TokenFilter, OptionSpec>;

const anyLogin = {
  username: { ...text(), text: 'Name of the user' },
  password: { ...text(), text: 'Password of the user' },
  decision: { ...word(['allow', 'deny']), text: 'What the user decides' },
  cookies: { values: '`Map`', default: 'a fresh browser', text: 'Cookies of the browser', parse: parseCookies },
  ca: { ...text(), text: 'Certificate to trust, as PEM' },
} as const satisfies Part;

/** Options of a login that begins at an authorize URL. */
export const loginOptions = {
  authorizeUrl: { values: 'URL', default: 'required', text: 'URL of the authorization request', parse: parseURL },
  ...anyLogin,
} as const satisfies Record<keyof ScriptedLogin, OptionSpec>;

/** Options of a login that begins at an app. */
export const appLoginOptions = {
  ...anyLogin,
  loginPath: { ...text(), text: 'Path at which the app begins a login' },
} as const satisfies Record<keyof AppLogin, OptionSpec>;

function parseCookies(option: string, value: unknown): CookieJar | undefined {
  // A Map of another realm is not an instance of this realm's Map.
  if (value === undefined || Object.prototype.toString.call(value) === '[object Map]') return value as CookieJar;
  throw invalid(option, 'a Map of names and values');
}

function parseURL(option: string, value: unknown): string {
  if (typeof value === 'string' && URL.canParse(value)) return value;
  throw invalid(option, 'the absolute URL to which the app redirects the browser');
}

function parsePublicKey(option: string, value: unknown): void {
  if (value !== undefined && !isPlainObject(value)) throw invalid(option, 'a public key as a JWK');
}
