import { checkCopied, optionalBoolean, optionalText } from '../check';
import type { FetchFunction } from '../fetch-function';
import { callback, group, text, whole, word, type Part } from '../spec';
import {
  parseAllowedHosts,
  parseAuthorizationParams,
  parseCallbackURL,
  parseClientID,
  parsePrompt,
  parseScope,
} from '../values';

/** A private key that the client proves itself with. `parseClientKeys` checks the values. */
export const clientKeyOptions = {
  key: {
    values: 'PEM text, JWK or `KeyObject`',
    default: 'none',
    text: 'The private key: RSA of at least 2048 bits, or on the curve P-256, P-384 or P-521. Required, unless there is `sign`',
  },
  sign: {
    values: '`(input, algorithm) =>` bytes, may be async',
    default: 'none',
    text: 'Instead of `key`: signs with a key in a key service',
  },
  keyId: {
    values: 'string',
    default: 'the `kid` of a JWK, else none',
    text: '`kid` in the header. Salesforce is not known to look at it',
  },
  algorithm: {
    values: '`RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`',
    default: '`RS256`, or that of the curve',
    text: 'How the key signs. `RS256` is the only one that Salesforce is known to accept',
  },
  audience: { values: 'string', default: 'the URL of the token endpoint', text: '`aud` of what is signed' },
  certificate: {
    values: 'PEM text',
    default: 'none',
    text: 'The certificate that was uploaded to the app, for the [doctor](../reference/doctor.md)',
  },
} as const satisfies Part;

/** How users of the client log in, if a call of `login()` says nothing else. */
export const clientLoginOptions = {
  display: {
    ...word(['page', 'popup', 'touch', 'mobile']),
    default: "none sent: Salesforce's own, `page`",
    wire: '`display`',
    text: "The look of Salesforce's pages",
  },
  loginHint: { ...text(), wire: '`login_hint`', text: 'Username put into the login form' },
  authorizationParams: {
    values: 'object of strings',
    default: 'none',
    wire: 'as named',
    text: 'Further parameters of the authorization request. Those the login sets itself are refused',
    parse: parseAuthorizationParams,
  },
  profileSource: {
    ...word(['id_token', 'identity', 'userinfo', 'id']),
    default: '`id_token` with the scope `openid`, else `identity`',
    text: 'Where the profile comes from: the ID token, if it names the user (no request; else the identity URL, or userinfo for a public client); the identity URL or userinfo (one request each); or the signed `id` URL alone (no request, ids only)',
  },
  anyMyDomain: {
    values: 'boolean',
    default: 'whether there is an organization picker',
    text: 'Take a My Domain that a user names: `?org=example.my.salesforce.com`. Without it, users choose among `organizations` only. See [organizations.md](../guide/organizations.md#a-my-domain-that-a-user-names)',
    parse: optionalBoolean,
  },
} as const satisfies Part;

/** The client as it is set up in Salesforce, and how its users log in. */
export const clientOptions = {
  clientID: {
    values: 'string',
    default: 'required',
    wire: '`client_id`',
    text: 'Consumer Key of the External Client App or Connected App',
    parse: parseClientID,
  },
  clientSecret: {
    values: 'string',
    default: 'none: a public client, which relies on PKCE',
    wire: '`client_secret`',
    text: 'Consumer Secret of the app',
    parse: parseSecret,
  },
  clientKey: {
    values: '[object](../guide/client-keys.md), or array of two',
    default: 'none',
    wire: '`client_assertion`',
    text: 'A private key instead of a secret; two while the key is changed. See [client-keys.md](../guide/client-keys.md)',
    options: clientKeyOptions,
    isList: true,
  },
  callbackURL: {
    values: 'URL, or a path',
    default: 'the callback route, as mounted',
    wire: '`redirect_uri`',
    text: "One of the callback URLs registered with the app. A path is below the application's root, at its [public address](../guide/deployment.md#behind-a-proxy). https, or http for localhost. A login that begins at another origin moves to that of its callback first",
    parse: parseCallbackURL,
  },
  scope: {
    values: 'string with spaces, or array',
    default: 'none sent',
    wire: '`scope`',
    text: 'Scopes to ask for. With `openid` the ID token is checked; with `refresh_token` the login outlives the access token',
    parse: parseScope,
  },
  prompt: {
    values: '`login`, `consent`, `select_account`, `login consent`; or `false`',
    default: '`login`',
    wire: '`prompt`',
    text: 'What Salesforce asks the user; see [salesforce-setup.md](../guide/salesforce-setup.md#prompttype)',
    parse: (option: string, value: unknown) => parsePrompt(option, value) ?? 'login',
  },
  login: {
    ...group(clientLoginOptions, "{ display: 'popup' }"),
    default: 'see [below](#login)',
    text: 'What else a login asks for and takes: the look of the pages, the profile, a My Domain that a user names',
  },
  baseUrl: {
    values: 'URL',
    default: '`https://login.salesforce.com`',
    wire: 'host and path of the endpoints',
    text: "Login host, sandbox, My Domain or site. (It is spelt like Salesforce's own setting; Passport's names are spelt like Passport's.)",
  },
  organizations: {
    values: 'object of URLs by name',
    default: 'none',
    wire: 'as `baseUrl`',
    text: 'Base URLs users may choose: `/auth/salesforce?org=sandbox`',
  },
  allowedHosts: {
    values: 'array of hosts',
    default: 'none',
    text: "Hosts to trust beside Salesforce's own, exact or as a suffix with a leading dot. They receive secrets and tokens",
    parse: parseAllowedHosts,
  },
  apiHosts: {
    values: 'array of hosts',
    default: 'none',
    text: "Hosts of Salesforce's own APIs that `fetch()` may call beside the user's instance, such as `api.salesforce.com`. They receive access tokens, which have to be JWT-based there; see [integrations.md](../guide/integrations.md#apis-off-the-instance)",
  },
  clientAuthentication: {
    ...word(['client_secret_post', 'client_secret_basic']),
    default: '`client_secret_post`',
    wire: 'body, or `Authorization`',
    text: 'How the secret is sent. It has no effect without a secret, and is not allowed with `clientKey`',
  },
  sessionTimeoutSeconds: {
    ...whole('seconds', 7200, [60, 31_536_000]),
    text: 'The session timeout set in Salesforce; see [tokens.md](../internals/token-lifecycle.md#when-a-refresh-happens)',
  },
  httpTimeoutMs: {
    ...whole('milliseconds', 30_000, [1, 600_000]),
    text: "Time limit of one request to Salesforce's login and token endpoints. Your own calls with `fetch()` have none: pass a `signal`",
  },
  fetch: {
    ...callback<FetchFunction>('`(url, init) => Promise<Response>`', '`fetch` of the process'),
    text: 'Sends every request of the package, for a proxy or a private certificate authority; see [network.md](../guide/network.md)',
  },
} as const satisfies Part;

function parseSecret(option: string, value: unknown): string | undefined {
  const secret = optionalText(option, value);
  checkCopied(option, secret, 'Consumer Secret');
  return secret;
}
