import type { Scene, SceneOptions } from '../scene';
import type { StoreKind } from '../stage';

/**
 * - `nothing lost`: the user stays logged in
 * - `one clean login`: the user logs in once more, nobody else notices, and no spent token was presented
 * - `logged out`: as asked, and Salesforce has no live token of it
 */
export type Promised = 'nothing lost' | 'one clean login' | 'logged out';

/** One cell of the fault matrix: a fault, the step it strikes at, and how that has to end. */
export interface Cell {
  row: string;
  step: string;
  promised: Promised;
  /** Stores it is about. Default: all. */
  store?: StoreKind;
  options?: SceneOptions;
  /** Tokens Salesforce gave out in an answer that nobody received; they live there until its own policies end them. */
  lostTokens?: number;
  /** The bystander loses the login too, since the store has lost everything. */
  takesAll?: boolean;
  /** Presentations of a spent token. Only `onLostAnswer: 'retry'` may make one. */
  retries?: number;
  run: (scene: Scene) => Promise<void>;
}

/** Insists on something in the middle of a cell. */
export function insist(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}

export const isInDoubt = ({ error }: { error: string | undefined }): boolean =>
  error === 'ERR_SALESFORCE_REFRESH_IN_DOUBT';
