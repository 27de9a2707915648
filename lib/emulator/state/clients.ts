import { X509Certificate, type JsonWebKey } from 'node:crypto';
import { randomText } from '../org/ids';
import { AddressList } from './addresses';
import { defaultPolicies, type AppAge, type ClientPolicy } from '../policy';

/** An app, as registered with the emulator. */
export interface EmulatorClient {
  /** Consumer Key. */
  readonly clientID: string;
  /** Consumer Secret, visibly fake; an empty text for a public client. `rotateSecret` changes it. */
  readonly clientSecret: string;
  /** More may be pushed while the emulator runs: an app may have to listen before it knows its own URL. */
  readonly callbackURLs: string[];
  /** The switches as they stand; change them with `setPolicy`. */
  readonly policy: Readonly<ClientPolicy>;
  /** Key that checks what the client signs (RFC 7523), if one was registered. `replaceKey` changes it. */
  readonly publicKey: JsonWebKey | undefined;
}

/** What a new app is registered with. */
export interface ClientRegistration {
  /** Callback URLs; `redirect_uri` has to equal one of them exactly. */
  callbackURLs: readonly string[];
  policy?: Partial<ClientPolicy> | undefined;
  /** What `policy` starts from: the app Salesforce makes now, or an app of before July 2026. Default: the emulator's `app`. */
  app?: AppAge | undefined;
  /** Consumer Key. Default: a random fake one. */
  clientID?: string | undefined;
  /** Default: a random fake secret. `false` makes a public client, which needs PKCE and no secret in either flow. */
  clientSecret?: string | false | undefined;
  /** The same as `policy.assignedScopes`. */
  scopes?: readonly string[] | undefined;
  /** RSA public key as a JWK, which lets the client authenticate with `private_key_jwt` and the JWT bearer flow. */
  publicKey?: JsonWebKey | undefined;
  /** The same as a certificate in PEM, as Setup takes it. Its time does not count, as is reported of Salesforce. */
  certificate?: string | undefined;
}

/**
 * What is wrong with a callback URL, or undefined.
 *
 * @returns the end of a sentence that begins with the URL
 */
export function callbackProblem(url: string): string | undefined {
  // Read as a URL, "localhost:3000/callback" has the scheme "localhost".
  if (/^[\w.-]+:\d+(?:[/?#]|$)/.test(url)) return `has no scheme. Did you mean "http://${url}"?`;
  return URL.canParse(url) ? undefined : 'is not an absolute URL.';
}

const lockedSwitches = ['requirePkce', 'rotateRefreshTokens', 'idleTTLSeconds'] as const;

function fakeSecret(): string {
  return `__fake_client_secret_${randomText(24)}__`;
}

/** All apps the emulator knows. */
export class Clients {
  readonly list: EmulatorClient[] = [];
  readonly #defaultApp: AppAge;

  constructor(defaultApp: AppAge) {
    this.#defaultApp = defaultApp;
  }

  /**
   * Adds an app. Unlike at Salesforce it can be used at once, not after ten minutes.
   *
   * @throws TypeError if a callback URL, the certificate or an address of the policy is invalid
   */
  register(registration: ClientRegistration): EmulatorClient {
    for (const url of registration.callbackURLs) {
      const problem = callbackProblem(url);
      if (problem !== undefined) throw new TypeError(`The callback URL "${url}" ${problem}`);
    }
    checkPolicy(registration.policy);
    const isPublic = registration.clientSecret === false;
    const client: EmulatorClient = {
      clientID: registration.clientID ?? `3MVG9__fake__${randomText(40)}`,
      clientSecret: isPublic ? '' : registration.clientSecret || fakeSecret(),
      callbackURLs: [...registration.callbackURLs],
      policy: {
        ...defaultPolicies[registration.app ?? this.#defaultApp],
        ...(isPublic
          ? { requireSecretForWebServerFlow: false, requireSecretForRefreshTokenFlow: false, requirePkce: true }
          : {}),
        ...registration.policy,
        ...(registration.scopes ? { assignedScopes: [...registration.scopes] } : {}),
      },
      publicKey: registration.publicKey ?? publicKeyOf(registration.certificate),
    };
    this.list.push(client);
    return client;
  }

  find(clientID: string | null): EmulatorClient | undefined {
    return this.list.find((client) => client.clientID === clientID);
  }

  /** @throws TypeError if no app has this id, or the app has a switch locked */
  setPolicy(clientID: string, changes: Partial<ClientPolicy>): void {
    checkPolicy(changes);
    const { policy } = this.#get(clientID);
    const isLocked = policy.locked && changes.locked !== false;
    const refused = lockedSwitches.find((name) => isLocked && name in changes && changes[name] !== policy[name]);
    if (refused !== undefined) {
      throw new TypeError(
        `Salesforce has locked ${refused} in the apps it makes now. Use an app of before with app: 'legacy', or set locked: false as well.`,
      );
    }
    Object.assign(policy, changes);
  }

  /** @returns the new secret. @throws TypeError where no app has this id */
  rotateSecret(clientID: string): string {
    const clientSecret = fakeSecret();
    Object.assign(this.#get(clientID), { clientSecret });
    return clientSecret;
  }

  /** @throws TypeError if no app has this id, or the certificate is invalid */
  replaceKey(clientID: string, key: Pick<ClientRegistration, 'publicKey' | 'certificate'>): void {
    Object.assign(this.#get(clientID), { publicKey: key.publicKey ?? publicKeyOf(key.certificate) });
  }

  #get(clientID: string): EmulatorClient {
    const client = this.find(clientID);
    if (!client) throw new TypeError(`No client with id "${clientID}" is registered with the emulator.`);
    return client;
  }
}

function publicKeyOf(certificate: string | undefined): JsonWebKey | undefined {
  if (certificate === undefined) return undefined;
  try {
    return new X509Certificate(certificate).publicKey.export({ format: 'jwk' });
  } catch (error) {
    throw new TypeError('The certificate is not one in PEM.', { cause: error });
  }
}

/** @throws TypeError if an address is invalid */
function checkPolicy({ refreshTokenIPAllowlist }: Partial<ClientPolicy> = {}): void {
  if (refreshTokenIPAllowlist) new AddressList(refreshTokenIPAllowlist);
}
