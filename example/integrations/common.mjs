// @ts-check
/** What all integrations need and none is about: sessions, and a clean end. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import session from 'express-session';

/** Sessions in memory. Lax keeps other sites from posting in the user's name. */
export const sessions = session({
  secret: process.env.SESSION_SECRET || randomBytes(32).toString('hex'),
  resave: false,
  saveUninitialized: false,
  cookie: { sameSite: 'lax', secure: 'auto' },
});

/**
 * Listens, and on SIGINT or SIGTERM ends without losing anything: refreshes under way finish.
 *
 * @param {import('node:http').Server} server
 * @param {{ close(): Promise<void> }} [salesforce]
 */
export async function serve(server, salesforce) {
  await once(server.listen(Number(process.env.PORT || 3000), 'localhost'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`Ready: http://localhost:${port}`);
  const stop = () => {
    server.close(() => void Promise.resolve(salesforce?.close()).then(() => process.exit()));
    server.closeIdleConnections();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
}
