import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { createClient } from 'redis';

/** express-session in the memory of the process, or in Redis by connect-redis. */
export async function sessionMiddleware({ sessions, redisUrl }) {
  const store =
    sessions === 'redis' ? new RedisStore({ client: await createClient({ url: redisUrl }).connect() }) : undefined;
  return session({ secret: 'bench only', resave: false, saveUninitialized: false, ...(store && { store }) });
}
