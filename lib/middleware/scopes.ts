import { SalesforceAuthError } from '../errors';

/** The scopes that a login without them was refused for, by the error. */
const missingIn = new WeakMap<object, readonly string[]>();

/** The error of a login that lacks scopes; undefined if it lacks none. */
export function insufficientScope(
  granted: readonly string[],
  wanted: readonly string[],
): SalesforceAuthError | undefined {
  const missing = lacking(granted, wanted);
  if (missing.length === 0) return undefined;
  const error = new SalesforceAuthError(
    'ERR_SALESFORCE_INSUFFICIENT_SCOPE',
    `The login was not granted ${missing.join(', ')}. Add it to the scope option and to the app in Salesforce, and log in again.`,
    { status: 403 },
  );
  missingIn.set(error, missing);
  return error;
}

/** Whether a new login cannot give the scopes that an error names, since it would not ask for them. */
export function isNeverAskedFor(error: object, scope: readonly string[] | undefined): boolean {
  const missing = missingIn.get(error);
  // A login that asks for no scope asks for all that the app is assigned.
  if (!missing || !scope || scope.length === 0) return false;
  return lacking(scope, missing).length > 0;
}

/** `full` covers every scope but the ones that make refresh tokens. */
function lacking(granted: readonly string[], wanted: readonly string[]): string[] {
  const isFull = granted.includes('full');
  return wanted.filter(
    (scope) => !granted.includes(scope) && !(isFull && !/^(?:refresh_token|offline_access)$/.test(scope)),
  );
}
