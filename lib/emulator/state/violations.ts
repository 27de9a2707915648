import type { Grants } from './grants';

/** A wrong presentation of a refresh token. */
export interface Violation {
  /**
   * `spent`: presented after rotation replaced the token, even if the reply was lost.
   * `overlapping`: presented while another presentation of the same token was in progress.
   */
  kind: 'spent' | 'overlapping';
  refreshToken: string;
  clientID: string;
  username: string | undefined;
  /**
   * Rotation was off when the token was issued, and is on now. A client that learned earlier that rotation is off may present
   * such a token twice, but not more often.
   */
  isOlderThanRotation: boolean;
  /** The number of this presentation of the token, from 1. */
  presentation: number;
  /** Milliseconds since the epoch, on the emulator's clock. */
  at: number;
}

/** Counts every presentation of a refresh token at the token endpoint, and notes violations. */
export class Presentations {
  readonly counts: Map<string, number> = new Map<string, number>();
  readonly violations: Violation[] = [];
  readonly #inProgress = new Set<string>();

  /**
   * Takes the lock of the token. Salesforce holds this lock while it processes a refresh (since Summer '24).
   *
   * @returns a function that releases the lock, or undefined if another request holds the lock
   */
  begin(refreshToken: string, clientID: string, grants: Grants, at: number): (() => void) | undefined {
    const presentation = (this.counts.get(refreshToken) ?? 0) + 1;
    this.counts.set(refreshToken, presentation);
    const username = grants.grantOf(refreshToken)?.user.username;
    const addViolation = (kind: Violation['kind']): void => {
      const isOlderThanRotation = grants.isOlderThanRotation(refreshToken);
      this.violations.push({ kind, refreshToken, clientID, username, isOlderThanRotation, presentation, at });
    };
    if (grants.isSpent(refreshToken)) addViolation('spent');
    if (this.#inProgress.has(refreshToken)) {
      addViolation('overlapping');
      return undefined;
    }
    this.#inProgress.add(refreshToken);
    return () => {
      this.#inProgress.delete(refreshToken);
    };
  }
}
