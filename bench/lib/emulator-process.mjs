/** The emulator in a separate process, so that it does not share the event loop with the measured code. */
import { createServer } from 'node:http';
import { serve } from './process.mjs';
import { startEmulator } from '../../dist/emulator.mjs';

// An app of before July 2026, because some of the compared packages send no PKCE.
const emulator = await startEmulator({ callbackURLs: ['http://localhost/unused'], app: 'legacy' });
let injected;

/** A server that answers after the milliseconds in its path. */
const late = createServer((req, res) => {
  setTimeout(() => res.end('{}'), Number(req.url.slice(1)));
});
await new Promise((resolve) => late.listen(0, '127.0.0.1', resolve));

serve({
  describe: () => ({
    url: emulator.url,
    user: { ...emulator.users[0] },
    lateUrl: `http://localhost:${late.address().port}`,
  }),
  registerClient: (registration) => ({ ...emulator.registerClient(registration) }),
  setPolicy: (clientID, changes) => emulator.setPolicy(clientID, changes),
  logIn: (authorizeUrl) => emulator.logIn({ authorizeUrl }),
  expireAccessTokens: (filter) => emulator.expireAccessTokens(filter),
  revokeAll: (filter) => emulator.revokeRefreshTokens(filter),
  liveTokens: (filter) => emulator.liveTokens(filter),
  moveInstance: (origin) => emulator.moveInstance(origin),
  inject: (fault) => {
    injected = emulator.faults.inject({ ...fault, times: fault.times ?? Infinity });
  },
  clearFaults: () => emulator.faults.clear(),
  faultHits: () => injected?.hits ?? 0,
  takeViolations: () => emulator.violations.splice(0).map(({ kind }) => kind),
  takeRequests: () => emulator.requests.splice(0).map(({ method, path }) => ({ method, path: path.split('?')[0] })),
});
