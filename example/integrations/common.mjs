// @ts-check
/** Code that all integrations share: sessions, and the shutdown. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import session from 'express-session';
import { portFromEnv } from '../port.mjs';

/** Sessions in memory. SameSite=Lax keeps other sites from sending forms in the name of the user. */
export const sessions = session({
  secret: process.env.SESSION_SECRET || randomBytes(32).toString('hex'),
  resave: false,
  saveUninitialized: false,
  cookie: { sameSite: 'lax', secure: 'auto' },
});

/**
 * Listens for requests. On SIGINT or SIGTERM, running refreshes finish before the process ends.
 *
 * @param {import('node:http').Server} server
 * @param {{ close(): Promise<void> }} [salesforce]
 */
export async function serve(server, salesforce) {
  await once(server.listen(portFromEnv(), 'localhost'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`Ready: http://localhost:${port}`);
  const stop = () => {
    server.close(() => void Promise.resolve(salesforce?.close()).then(() => process.exit()));
    server.closeIdleConnections();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
}
