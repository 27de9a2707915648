import type { Grants } from './grants';

/** A presentation of a refresh token that a careful client never makes. */
export interface Violation {
  /**
   * `spent`: presented after it was rotated out, whether or not that reply arrived.
   * `overlapping`: presented while another presentation of it was still in progress.
   */
  kind: 'spent' | 'overlapping';
  refreshToken: string;
  clientID: string;
  username: string | undefined;
  /**
   * The token was issued while rotation was off, and an administrator has switched rotation on since. A client that relied on
   * what it knew of the app presents such a token twice at most.
   */
  isOlderThanRotation: boolean;
  /** Which presentation of this token it was, from 1. */
  presentation: number;
  /** Milliseconds since the epoch, on the emulator's clock. */
  at: number;
}

/** Counts every arrival of a refresh token at the token endpoint and judges it. */
export class Presentations {
  readonly counts: Map<string, number> = new Map<string, number>();
  readonly violations: Violation[] = [];
  readonly #inProgress = new Set<string>();

  /**
   * Takes the token's lock, which Salesforce holds while it works on a refresh (since Summer '24).
   *
   * @returns a function that gives the lock back, or undefined where somebody else holds it
   */
  begin(refreshToken: string, clientID: string, grants: Grants, at: number): (() => void) | undefined {
    const presentation = (this.counts.get(refreshToken) ?? 0) + 1;
    this.counts.set(refreshToken, presentation);
    const username = grants.grantOf(refreshToken)?.user.username;
    const blame = (kind: Violation['kind']): void => {
      const isOlderThanRotation = grants.isOlderThanRotation(refreshToken);
      this.violations.push({ kind, refreshToken, clientID, username, isOlderThanRotation, presentation, at });
    };
    if (grants.isSpent(refreshToken)) blame('spent');
    if (this.#inProgress.has(refreshToken)) {
      blame('overlapping');
      return undefined;
    }
    this.#inProgress.add(refreshToken);
    return () => {
      this.#inProgress.delete(refreshToken);
    };
  }
}
