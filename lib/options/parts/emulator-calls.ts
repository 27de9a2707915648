import type { AppAge } from '../../emulator/policy';
import { invalid, isPlainObject, optionalBoolean } from '../check';
import { text, word, type Part } from '../spec';
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

function parsePublicKey(option: string, value: unknown): void {
  if (value !== undefined && !isPlainObject(value)) throw invalid(option, 'a public key as a JWK');
}
