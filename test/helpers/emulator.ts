import { startEmulator, type AppAge, type Emulator, type EmulatorOptions } from '../../lib/emulator';
import { watchForLeaks } from './leaks';
import { assertNoViolations, unwatch, watch } from './oracle';

/** The callback URL of {@link startTestEmulator} where a test names none. */
export const defaultCallbackURL = 'http://localhost:3000/auth/salesforce/callback';

const running = new Set<Emulator>();

/**
 * `EMULATOR_APP=current` or `legacy` has the tests run with that app, unless a test names one: for files whose outcome depends on
 * it, which run with both.
 */
const testedApp: AppAge | undefined = appOf(process.env['EMULATOR_APP']);

function appOf(name: string | undefined): AppAge | undefined {
  if (name === undefined || name === 'current' || name === 'legacy') return name;
  throw new Error(`EMULATOR_APP is "${name}", and there are "current" and "legacy".`);
}

/** Starts an emulator that the oracle watches. It is stopped after the test, or after the file if started in beforeAll. */
export async function startTestEmulator(options: Partial<EmulatorOptions> = {}): Promise<Emulator> {
  const emulator = await startEmulator({ callbackURLs: [defaultCallbackURL], app: testedApp, ...options });
  watch(emulator);
  watchForLeaks(emulator);
  (isTestRunning ? running : runningForFile).add(emulator);
  return emulator;
}

const runningForFile = new Set<Emulator>();

/** In beforeAll no test is running yet. */
let isTestRunning = false;

beforeEach(() => {
  isTestRunning = true;
});

// Requests still on their way when a test ends are judged here, after the oracle's own look.
afterEach(async () => {
  isTestRunning = false;
  await stopAll(running);
});

afterAll(() => stopAll(runningForFile));

async function stopAll(emulators: Set<Emulator>): Promise<void> {
  const all = [...emulators];
  emulators.clear();
  await Promise.all(all.map((emulator) => emulator.stop()));
  try {
    assertNoViolations();
  } finally {
    all.forEach(unwatch);
  }
}

export { browse, walkLogin as logInAtEmulator, type CookieJar } from '../../lib/emulator/scripted-login';
