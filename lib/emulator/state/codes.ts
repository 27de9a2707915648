import type { EmulatorClock } from '../clock';
import { randomText } from '../org/ids';
import type { EmulatorUser } from '../org/users';
import type { EmulatorClient } from './clients';
import type { Grant } from './grants';

/** How long an authorization code is valid at Salesforce. */
const codeLifeMs = 15 * 60 * 1000;

/** The data of an authorization code. */
export interface AuthorizationCode {
  readonly client: EmulatorClient;
  readonly user: EmulatorUser;
  readonly scopes: readonly string[];
  readonly redirectURI: string;
  readonly nonce: string | undefined;
  /** The S256 challenge (RFC 7636), if the request had one. */
  readonly codeChallenge: string | undefined;
  readonly site: string;
}

interface IssuedCode extends AuthorizationCode {
  readonly expiresAt: number;
  used: boolean;
  grant: Grant | undefined;
}

/** Authorization codes. Each works once. */
export class AuthorizationCodes {
  readonly #clock: EmulatorClock;
  readonly #codes = new Map<string, IssuedCode>();

  constructor(clock: EmulatorClock) {
    this.#clock = clock;
  }

  /** Makes a code in Salesforce's format: `aPrx…` and two equals signs, which a callback must decode exactly once. */
  issue(code: AuthorizationCode): string {
    const value = `aPrx${randomText(80)}==`;
    this.#codes.set(value, { ...code, expiresAt: this.#clock.now() + codeLifeMs, used: false, grant: undefined });
    return value;
  }

  find(value: string): IssuedCode | undefined {
    return this.#codes.get(value);
  }

  isExpired(code: { readonly expiresAt: number }): boolean {
    return this.#clock.now() >= code.expiresAt;
  }
}
