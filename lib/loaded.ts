import { isError, SalesforceAuthError, systemCode } from './errors';

/** After this time another try makes sense, in milliseconds. */
export const loadAgainMs = 5_000;

/**
 * A part of this package that is loaded at its first use, as `loaded(() => import('./part'))`.
 *
 * Nothing is remembered of a part that failed to load: the next call tries again. Only a package that was missing stays missing
 * for Node.js until the process ends.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_NOT_LOADED`
 */
export async function loaded<Part>(load: () => Promise<Part>): Promise<Part> {
  try {
    return await load();
  } catch (error) {
    throw notLoaded(error);
  }
}

function notLoaded(error: unknown): SalesforceAuthError {
  const [, missing] =
    /Cannot find (?:module|package) '([^'\n]{1,200})'/.exec(isError(error) ? error.message : '') ?? [];
  const code = systemCode(error);
  const why = [missing && `'${missing}' is missing`, code].filter(Boolean).join(', ');
  return new SalesforceAuthError(
    'ERR_SALESFORCE_NOT_LOADED',
    `A part of express-salesforce-auth could not be loaded${why && ` (${why})`}. If its files were replaced while this process ` +
      'runs, for instance by an update, restart the process. Otherwise install the dependencies of the application anew.',
    { status: 503, retryAfterSeconds: loadAgainMs / 1000, cause: error },
  );
}
