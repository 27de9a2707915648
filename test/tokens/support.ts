import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, type TestAppOptions } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import type { Emulator, RecordedRequest } from '../../lib/emulator';

/** An application with one browser logged in, rotation on, and all time in the test's hands. */
export async function loggedIn(given: Partial<TestAppOptions> & { user?: number } = {}) {
  const clock = new ManualClock();
  const emulator = given.emulator ?? (await startTestEmulator());
  const started = await startApp({
    emulator,
    policy: { rotateRefreshTokens: true },
    ...given,
    options: { clock, ...given.options },
  });
  const tab = started.browser();
  await logIn(tab, emulator, { user: given.user ?? 0 });
  const grantId = ((await tab.get('/me')).body as { grantId: string }).grantId;
  return { clock, emulator, tab, grantId, ...started };
}

/** Refreshes the token endpoint was asked for. */
export function refreshes(emulator: Emulator): RecordedRequest[] {
  return emulator.requests.filter(
    ({ path, body }) =>
      path.endsWith('/services/oauth2/token') && (body as { grant_type?: string }).grant_type === 'refresh_token',
  );
}
