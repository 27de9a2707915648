import type { AppOptions } from '../app/app-options';
import type { SalesforceErrorCode } from '../errors';
import type { StoreFinding } from '../stores/store';

/**
 * How a check ended.
 *
 * - `ok`: no problem
 * - `unknown`: the doctor cannot see this; `fix` says where to look
 * - `warning`: works now, and can fail later
 * - `error`: does not work
 */
export type FindingLevel = 'ok' | 'unknown' | 'warning' | 'error';

/** The result of one check. */
export interface Finding {
  /** Stable name, for instance `callback-url` or `store.eviction`. */
  check: string;
  level: FindingLevel;
  /** Result in one sentence. Holds no secret. */
  message: string;
  /** What the operator can do. Absent if there is nothing to do. */
  fix?: string;
  /** The error code of a login or refresh that fails for this reason. */
  code?: SalesforceErrorCode;
  /** The base URL that was checked, if the check is about a base URL. */
  baseUrl?: string;
}

/** All findings of a run. */
export interface Diagnosis {
  /** True if no finding is an error. */
  ok: boolean;
  findings: Finding[];
}

/** Facts that the doctor cannot find out by itself. */
export interface DiagnoseOptions {
  /** Origin of the application, such as `https://app.example.com`, for a `callbackURL` that is a path. */
  origin?: string | undefined;
  /** Tenant to ask the `configuration` function for. */
  tenant?: string | undefined;
  /** How many processes run the application, on all machines together. Default: not known. */
  processes?: number | undefined;
  /** Whether "Enable Refresh Token Rotation" is ticked. Default: not known. */
  rotation?: boolean | undefined;
  /**
   * Options of `salesforce.app()`: the doctor asks for an app token with them and revokes the token. Default: no app token.
   */
  app?: AppOptions | undefined;
}

export function summarize(findings: readonly Finding[]): Diagnosis {
  return { ok: findings.every(({ level }) => level !== 'error'), findings: [...findings] };
}

export function fromStore({ check, level, message, fix }: StoreFinding): Finding {
  return { check: `store.${check}`, level, message, ...(fix === undefined ? {} : { fix }) };
}

/** Advice for an error of Salesforce that is not in the table of known errors. */
export const reportText = 'This package does not know the text. Please report it: npm bugs express-salesforce-auth.';
