import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { Jwk } from '../../client-authentication/jwk';
import { randomText } from '../org/ids';
import { AddressList } from './addresses';
import { invalid } from '../../options/check';
import { checkNames, parsePart } from '../../options/names';
import { parsePolicy, policyOptions } from '../../options/parts/emulator';
import { keyOptions, registrationOptions } from '../../options/parts/emulator-calls';
import { defaultPolicies, type AppAge, type ClientPolicy } from '../policy';

/** An app that is registered with the emulator. */
export interface EmulatorClient {
  /** Consumer Key. */
  readonly clientID: string;
  /** Consumer Secret, which is fake. A public client has an empty text. `rotateSecret` changes the secret. */
  readonly clientSecret: string;
  /** URLs may be added while the emulator runs, because some apps know their own URL only when they listen. */
  readonly callbackURLs: string[];
  /** The current settings. Change them with `setPolicy`. */
  readonly policy: Readonly<ClientPolicy>;
  /** Public key of the client (RFC 7523), if a key was registered. `replaceKey` changes the key. */
  readonly publicKey: Jwk | undefined;
}

/** Options of a new app. */
export interface ClientRegistration {
  /** Callback URLs. `redirect_uri` must be equal to one of them. */
  callbackURLs: readonly string[];
  policy?: Partial<ClientPolicy> | undefined;
  /** The age of the app, which decides the defaults of `policy`. Default: the emulator's `app`. */
  app?: AppAge | undefined;
  /** Consumer Key. Default: a random fake one. */
  clientID?: string | undefined;
  /** Consumer Secret. Default: a random fake one. `false` makes a public client, which needs PKCE and no secret. */
  clientSecret?: string | false | undefined;
  /** The same as `policy.assignedScopes`. */
  scopes?: readonly string[] | undefined;
  /** RSA public key as a JWK, which lets the client authenticate with `private_key_jwt` and the JWT bearer flow. */
  publicKey?: Jwk | undefined;
  /**
   * The key as a certificate in PEM, as in Setup. The dates of the certificate are ignored, as users report of Salesforce.
   */
  certificate?: string | undefined;
}

/**
 * Checks a callback URL.
 *
 * @returns the end of a sentence that begins with the URL, or undefined if the URL is valid
 */
export function callbackProblem(url: string): string | undefined {
  // The URL "localhost:3000/callback" would have the scheme "localhost".
  if (/^\s|\s$/.test(url)) return 'begins or ends with a blank or a line break.';
  if (/^[\w.-]+:\d+(?:[/?#]|$)/.test(url)) return `has no scheme. Did you mean "http://${url}"?`;
  return URL.canParse(url) ? undefined : 'is not an absolute URL.';
}

const lockedSwitches = ['requirePkce', 'rotateRefreshTokens', 'idleTTLSeconds'] as const;

function fakeSecret(): string {
  return `__fake_client_secret_${randomText(24)}__`;
}

/** All apps of the emulator. */
export class Clients {
  readonly list: EmulatorClient[] = [];
  readonly #defaultApp: AppAge;

  constructor(defaultApp: AppAge) {
    this.#defaultApp = defaultApp;
  }

  /**
   * Adds an app. Unlike at Salesforce, the app works at once and not after ten minutes.
   *
   * @throws TypeError if an option does not exist or has a wrong value, such as a URL, the certificate, a switch or an id that is taken
   */
  register(registration: ClientRegistration): EmulatorClient {
    parsePart(registrationOptions, registration, 'registerClient()');
    for (const url of registration.callbackURLs) {
      const problem = callbackProblem(url);
      if (problem !== undefined) throw new TypeError(`The callback URL "${url}" ${problem}`);
    }
    if (this.find(registration.clientID ?? null)) {
      throw invalid('clientID', `a Consumer Key of no other client; "${registration.clientID}" is taken`);
    }
    const policy = settingsIn(registration.policy ?? {});
    const isPublic = registration.clientSecret === false;
    const client: EmulatorClient = {
      clientID: registration.clientID ?? `3MVG9__fake__${randomText(40)}`,
      clientSecret: registration.clientSecret === false ? '' : (registration.clientSecret ?? fakeSecret()),
      callbackURLs: [...registration.callbackURLs],
      policy: {
        ...defaultPolicies[registration.app ?? this.#defaultApp],
        ...(isPublic
          ? { requireSecretForWebServerFlow: false, requireSecretForRefreshTokenFlow: false, requirePkce: true }
          : {}),
        ...policy,
        ...(registration.scopes ? { assignedScopes: [...registration.scopes] } : {}),
      },
      publicKey: publicKeyIn(registration),
    };
    this.list.push(client);
    return client;
  }

  find(clientID: string | null): EmulatorClient | undefined {
    return this.list.find((client) => client.clientID === clientID);
  }

  /** @throws TypeError if no app has this id, a setting is locked, or a switch does not exist or has a wrong value */
  setPolicy(clientID: string, given: Partial<ClientPolicy>): void {
    checkNames(given, policyOptions, 'setPolicy()');
    parsePolicy('policy', given);
    const changes = settingsIn(given);
    const { policy } = this.#get(clientID);
    const isLocked = policy.locked && changes.locked !== false;
    const refused = lockedSwitches.find((name) => isLocked && name in changes && changes[name] !== policy[name]);
    if (refused !== undefined) {
      throw new TypeError(
        `Salesforce has locked ${refused} in today's apps. Use an older app with app: 'legacy', or set locked: false as well.`,
      );
    }
    Object.assign(policy, changes);
  }

  /** @returns the new secret. @throws TypeError if no app has this id */
  rotateSecret(clientID: string): string {
    const clientSecret = fakeSecret();
    Object.assign(this.#get(clientID), { clientSecret });
    return clientSecret;
  }

  /** @throws TypeError if no app has this id, or the certificate is invalid */
  replaceKey(clientID: string, key: Pick<ClientRegistration, 'publicKey' | 'certificate'>): void {
    parsePart(keyOptions, key, 'replaceKey()');
    Object.assign(this.#get(clientID), { publicKey: publicKeyIn(key) });
  }

  #get(clientID: string): EmulatorClient {
    const client = this.find(clientID);
    if (!client) throw new TypeError(`No client with id "${clientID}" is registered with the emulator.`);
    return client;
  }
}

/**
 * The public key that is given, by itself or in a certificate.
 *
 * @throws TypeError if it is no RSA key: Salesforce is known to accept RS256 alone, so every signature would be refused
 */
function publicKeyIn({
  publicKey,
  certificate,
}: Pick<ClientRegistration, 'publicKey' | 'certificate'>): Jwk | undefined {
  if (publicKey !== undefined) return rsaKey(keyOf(publicKey), 'publicKey', 'an RSA public key as a JWK');
  if (certificate === undefined) return undefined;
  let key: KeyObject;
  try {
    key = new X509Certificate(certificate).publicKey;
  } catch (error) {
    throw new TypeError('The certificate is not valid PEM.', { cause: error });
  }
  return rsaKey(key, 'certificate', 'that of an RSA key');
}

function keyOf(publicKey: Jwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: publicKey, format: 'jwk' } as Parameters<typeof createPublicKey>[0]);
  } catch {
    return undefined;
  }
}

function rsaKey(key: KeyObject | undefined, option: string, expected: string): Jwk {
  if (key?.asymmetricKeyType !== 'rsa') throw invalid(option, expected);
  return key.export({ format: 'jwk' });
}

/**
 * The settings that are given. A setting that always has a value is left out if it is undefined.
 *
 * @throws TypeError if an address is invalid
 */
function settingsIn(policy: Partial<ClientPolicy>): Partial<ClientPolicy> {
  if (policy.refreshTokenIPAllowlist) new AddressList(policy.refreshTokenIPAllowlist);
  const settings = Object.entries(policy).filter(
    ([name, value]) => value !== undefined || defaultPolicies.legacy[name as keyof ClientPolicy] === undefined,
  );
  return Object.fromEntries(settings);
}
