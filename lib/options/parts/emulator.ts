import type { AppAge, ClientPolicy } from '../../emulator/policy';
import { invalid, isPlainObject, optionalBoolean, optionalText, optionalWholeNumber, wholeNumber } from '../check';
import { flag, text, whole, word, type Part } from '../spec';

/** Settings of an app at the emulator, as an administrator sets them in Setup. */
export const policyOptions = {
  requireSecretForWebServerFlow: { ...flag(true), text: 'Require Secret for Web Server Flow' },
  requireSecretForRefreshTokenFlow: { ...flag(true), text: 'Require Secret for Refresh Token Flow' },
  requirePkce: {
    parse: optionalBoolean,
    values: 'boolean',
    default: "today's app and public clients `true`, else `false`",
    text: 'Require Proof Key for Code Exchange',
  },
  rotateRefreshTokens: {
    parse: optionalBoolean,
    values: 'boolean',
    default: "today's app `true`, else `false`",
    text: 'Enable Refresh Token Rotation',
  },
  refreshTokenPolicy: {
    parse: parseRefreshTokenPolicy,
    values: '`until-revoked`, `immediate`, `{ idleSeconds }`, `{ absoluteSeconds }`',
    default: '`until-revoked`',
    text: 'Refresh Token Policy: how long a refresh token is valid',
  },
  idleTTLSeconds: {
    parse: optionalCount,
    values: 'seconds',
    default: "today's app 30 days, else none",
    text: 'A sliding limit in addition',
  },
  locked: {
    parse: optionalBoolean,
    values: 'boolean',
    default: "today's app `true`, else `false`",
    text: 'Salesforce has grayed out PKCE, rotation and the idle limit (reported): `setPolicy()` refuses to change them',
  },
  maxApprovals: {
    parse: optionalCount,
    values: 'number',
    default: '`5`',
    text: 'Refresh tokens per user; one more login revokes the oldest',
  },
  accessTokenFormat: { ...word(['opaque', 'jwt'], 'opaque'), text: 'The form of access tokens' },
  jwtTimeoutSeconds: {
    parse: optionalCount,
    values: 'seconds',
    default: '`1800`',
    text: 'Life of a JWT-based access token',
  },
  sessionTimeoutSeconds: {
    parse: optionalCount,
    values: 'seconds',
    default: "the emulator's",
    text: "Session timeout of the app's own policy",
  },
  authorizationCodeAndCredentials: {
    ...flag(false),
    text: 'Enable Authorization Code and Credentials Flow, at `emulator.siteUrl`; see [headless login](../guide/headless-login.md)',
  },
  isCodeCredentialPostOnly: {
    ...flag(false),
    text: 'Require user credentials in the POST body: a header is not looked at',
  },
  clientCredentialsRunAs: {
    parse: optionalText,
    values: 'username',
    default: 'none: the flow is off',
    text: 'Enable Client Credentials Flow, with this username as Run As. Ask at `myDomainUrl`',
  },
  refreshTokenIPAllowlist: {
    parse: optionalTexts,
    values: 'array of addresses and ranges',
    default: 'all addresses',
    text: 'Refresh Token IP Allowlist: only these addresses may exchange codes and refresh tokens',
  },
  idHost: { ...word(['login', 'instance'], 'login'), text: 'Host of the `id` URL' },
  idTokenIssuer: { ...word(['login', 'instance'], 'login'), text: '`iss` of ID tokens' },
  idTokenTimeoutSeconds: { parse: optionalCount, values: 'seconds', default: '`120`', text: 'Life of an ID token' },
  includeStandardClaims: { ...flag(false), text: 'Include Standard Claims: ID tokens name the user' },
  appInstalled: { ...flag(true), text: "Whether the app is installed in the users' organizations" },
  appKind: {
    ...word(['external-client-app', 'connected-app'], 'external-client-app'),
    text: 'Decides the error for an app that is not installed',
  },
  blocked: { ...flag(false), text: 'An administrator blocked the app' },
  adminApprovedUsers: {
    parse: optionalTexts,
    values: 'array of usernames',
    default: 'all users',
    text: 'Usernames that are pre-authorized',
  },
  expiresInSeconds: {
    parse: optionalCount,
    values: 'seconds',
    default: 'none',
    text: 'Makes token replies carry `expires_in`; Salesforce sends none',
  },
  assignedScopes: {
    parse: optionalTexts,
    values: 'array of scopes',
    default: 'the usual ones',
    text: 'Selected OAuth Scopes; with `apiPort` the first app has `sfap_api`, `chatbot_api` and `mcp_api` too',
  },
} as const satisfies Part;

/** The highest port. */
const lastPort = 65_535;

/** Options of `startEmulator()`. */
export const emulatorOptions = {
  callbackURLs: {
    values: 'array of URLs',
    default: 'required',
    text: 'Callback URLs of the first client',
    parse: parseCallbackURLs,
  },
  port: { ...whole('port', 0, [0, lastPort]), default: '`0`: any free one', text: 'Port to listen on' },
  host: {
    ...text(),
    default: 'this machine, as `localhost`',
    text: 'Address to listen on, which is then the only name of the emulator',
  },
  app: {
    ...word<AppAge>(['current', 'legacy'], 'current'),
    text: 'The kind of app that clients are registered as: `current` is the app Salesforce makes now, `legacy` an app of before July 2026',
  },
  policy: {
    values: 'object',
    default: 'see [below](#switches-of-a-client)',
    text: 'Switches of the first client that differ from those of the `app`',
    options: policyOptions,
    parse: parsePolicy,
  },
  clientID: { ...text(), default: 'a random fake one', text: 'Consumer Key of the first client' },
  clientSecret: {
    parse: parseClientSecret,
    values: 'string; or `false`',
    default: 'a random fake one',
    text: 'Consumer Secret of the first client; `false` makes the client public',
  },
  certificate: {
    parse: optionalText,
    values: 'PEM text',
    default: 'none',
    text: 'Certificate of the first client, if the client signs with a [key](../guide/client-keys.md)',
  },
  sessionTimeoutSeconds: {
    ...whole('seconds', 7200, [1, 31_536_000]),
    text: 'Idle time after which an opaque access token ends',
  },
  instance: {
    ...word(['login-host', 'my-domain'], 'login-host'),
    text: '`my-domain` puts the API on a host of its own, as Salesforce does. Not with a `host` that is one address',
  },
  https: { ...flag(false), text: 'TLS, with a certificate made at the start; see [below](#tls)' },
  maxRequests: {
    values: 'number, from 1; or `Infinity`',
    default: '`10000`',
    text: 'The most requests in `emulator.requests`; the oldest are dropped',
    parse: parseMostRequests,
  },
  containedAddresses: {
    parse: optionalTexts,
    values: 'array of addresses and ranges',
    default: 'none',
    text: "Addresses with a bad reputation. A request from such an address freezes the user of its token, as Salesforce's containment does",
  },
  apiPort: {
    values: `port, from 0 to ${lastPort}`,
    default: 'none: no such host',
    text: 'Port of a host for [APIs off the instance](../guide/integrations.md#apis-off-the-instance); `0` takes any free port',
    parse: parseApiPort,
  },
  queryBatchSize: { ...whole('records', 200, [1, 2_000]), text: 'The most records in one reply to a query' },
  console: { ...flag(false), text: 'A console at `/console`; see [below](#the-console)' },
  redirectWith: {
    ...word(['location', 'javascript'], 'location'),
    text: '`javascript` moves the browser on by a script in a page, as Salesforce may',
  },
} as const satisfies Part;

/** Checks the switches that are given. The defaults of the others depend on the app. */
export function parsePolicy(option: string, value: unknown): Partial<ClientPolicy> | undefined {
  if (value === undefined) return undefined;
  if (!isPlainObject(value)) throw invalid(option, 'an object of switches such as { rotateRefreshTokens: true }');
  for (const [name, { parse }] of Object.entries(policyOptions)) parse(`${option}.${name}`, value[name]);
  return value;
}

/** The secret of a client at the emulator; false if the client is public. */
export function parseClientSecret(option: string, value: unknown): string | false | undefined {
  if (value === false) return false;
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw invalid(option, 'a string that is not empty, or false for a public client');
}

/** A list of texts, which may be empty. */
export function optionalTexts(option: string, value: unknown): readonly string[] | undefined {
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string');
  if (value === undefined || isList) return value;
  throw invalid(option, 'an array of strings');
}

function optionalCount(option: string, value: unknown): number | undefined {
  return optionalWholeNumber(option, value, [1, Number.MAX_SAFE_INTEGER]);
}

function parseRefreshTokenPolicy(option: string, value: unknown): void {
  if (value === undefined || value === 'until-revoked' || value === 'immediate') return;
  const [[name, seconds] = [], ...others] = isPlainObject(value) ? Object.entries(value) : [];
  if ((name === 'idleSeconds' || name === 'absoluteSeconds') && others.length === 0 && seconds !== undefined) {
    optionalCount(`${option}.${name}`, seconds);
    return;
  }
  throw invalid(option, "'until-revoked', 'immediate', { idleSeconds: 3600 } or { absoluteSeconds: 3600 }");
}

/** Callback URLs of a client at the emulator. */
export function parseCallbackURLs(option: string, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value as readonly string[];
  throw invalid(option, "an array of URLs such as 'http://localhost:3000/auth/salesforce/callback'");
}

function parseApiPort(option: string, value: unknown): number | undefined {
  return optionalWholeNumber(option, value, [0, lastPort]);
}

function parseMostRequests(option: string, value: unknown): number {
  if (value === Infinity) return value;
  return wholeNumber(option, value, 10_000, [1, Number.MAX_SAFE_INTEGER]);
}
