import type { AppOptions } from '../app/app-options';
import type { SalesforceErrorCode } from '../errors';
import type { StoreFinding } from '../stores/store';

/**
 * How a check ended.
 *
 * - `ok`: as it should be
 * - `unknown`: it cannot be seen from here; what to look at instead is in `fix`
 * - `warning`: it works, and will hurt one day
 * - `error`: it does not work
 */
export type FindingLevel = 'ok' | 'unknown' | 'warning' | 'error';

/** One thing the doctor looked at. */
export interface Finding {
  /** Stable name, for instance `callback-url` or `store.eviction`. */
  check: string;
  level: FindingLevel;
  /** What was found. Holds no secret. */
  message: string;
  /** What to do about it; absent where there is nothing to do. */
  fix?: string;
  /** The code a login or refresh would fail with. */
  code?: SalesforceErrorCode;
  /** Which base URL it is about, where it is about one. */
  baseUrl?: string;
}

/** All that was found. */
export interface Diagnosis {
  /** True where no finding is an error. */
  ok: boolean;
  findings: Finding[];
}

/** What the doctor cannot find out by itself. */
export interface DiagnoseOptions {
  /** Origin of the application, such as `https://app.example.com`, for a `callbackURL` that is a path. */
  origin?: string | undefined;
  /** Tenant to ask the `configuration` function for. */
  tenant?: string | undefined;
  /** How many processes run the application, on all machines together. Default: not known. */
  processes?: number | undefined;
  /** Whether "Enable Refresh Token Rotation" is ticked. Default: not known. */
  rotation?: boolean | undefined;
  /** Ask for an app token, as `salesforce.app()` with these options does, and revoke it. Default: none is asked for. */
  app?: AppOptions | undefined;
}

export function summarize(findings: readonly Finding[]): Diagnosis {
  return { ok: findings.every(({ level }) => level !== 'error'), findings: [...findings] };
}

export function fromStore({ check, level, message, fix }: StoreFinding): Finding {
  return { check: `store.${check}`, level, message, ...(fix === undefined ? {} : { fix }) };
}

/** Advice for an error of Salesforce that the catalogue lacks. */
export const reportText = 'This package does not know the text. Please report it: npm bugs express-salesforce-auth.';
