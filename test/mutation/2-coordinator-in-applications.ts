/*
 * The coordinator in applications: in one file, so that a mutation run loads Express and the emulator once for each change.
 * Tests that take thousands of requests, or a server, are left out.
 */
// Loaded only where they are needed, which takes most of the time.
/* eslint-disable @typescript-eslint/no-require-imports */
if ((globalThis as { hasFailed?: boolean }).hasFailed) {
  it.skip('is not asked: an earlier test noticed the change', () => undefined);
} else {
  require('../tokens/tokens.test');
  require('../tokens/events.test');
  require('../tokens/notifications.test');
  require('../security/at-rest.test');
  require('../tokens/keep-alive.test');
  require('../tokens/processes.test');
  require('../middleware/logout.test');
  require('../tokens/refresh.test');
}
