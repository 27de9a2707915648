/** Salesforce as a process of its own, for the programs that are killed around it. Messages are as those of worker.mjs. */
import process from 'node:process';
import { startEmulator } from '../../dist/emulator.mjs';

const emulator = await startEmulator({ callbackURLs: [], maxRequests: Infinity });

const calls = {
  /** Registers a client with refresh token rotation, and adds users. */
  open({ users }) {
    const { clientID, clientSecret } = emulator.registerClient({
      callbackURLs: [],
      // A login whose tokens nobody received must not push out a later one.
      policy: { rotateRefreshTokens: true, maxApprovals: 1_000_000 },
    });
    const added = Array.from({ length: users }, () => emulator.addUser());
    return { url: emulator.url, clientID, clientSecret, users: added };
  },
  allow({ callbackURL }) {
    emulator.clients.at(-1).callbackURLs.push(callbackURL);
  },
  /** Has refreshes take their time, before and after Salesforce works on them, so that a kill finds some at each step. */
  slowDown() {
    for (const when of ['before', 'after']) {
      for (const delayMs of [400, 150, 50]) {
        const match = () => Math.random() < 0.3;
        emulator.faults.inject({ on: 'refresh', kind: 'delay', delayMs, when, match, times: Infinity });
      }
    }
  },
  logIn({ authorizeUrl, username, password }) {
    return emulator.logIn({ authorizeUrl, username, password });
  },
  expire({ userId }) {
    emulator.expireAccessTokens({ userId });
  },
  /** How often a refresh token was presented. */
  presentations({ refreshToken }) {
    return emulator.presentations.get(refreshToken) ?? 0;
  },
  sum() {
    const kinds = emulator.violations.map(({ kind }) => kind);
    return { refreshes: [...emulator.presentations.values()].reduce((sum, count) => sum + count, 0), kinds };
  },
  live({ userId }) {
    return emulator.liveTokens({ userId }).refreshTokens;
  },
};

process.on('message', async ({ call, name, ...given }) => {
  try {
    process.send({ answer: call, value: (await calls[name](given)) ?? null });
  } catch (error) {
    process.send({ answer: call, error: String(error?.stack ?? error) });
  }
});

// The parent is gone, and with it the tests.
process.on('disconnect', () => process.exit(1));

process.send({ news: 'ready' });
