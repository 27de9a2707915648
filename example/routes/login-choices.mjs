// @ts-check

/**
 * The choices of the login page.
 *
 * @param {Pick<import('./parts.mjs').Parts, 'settings' | 'offline'>} parts
 */
export function loginChoices({ settings, offline }) {
  const { baseUrl = 'https://login.salesforce.com', organizations = {} } = settings.current;
  return { baseUrl, organizations, users: baseUrl === offline?.url ? offline.users : [] };
}
