import express, { type Request } from 'express';
import request from 'supertest';

/** A real request of Express, for code that takes one: it was received and answered. */
export async function requestOf(
  path: string,
  { method = 'get', headers = {} }: { method?: 'get' | 'post'; headers?: Record<string, string> } = {},
): Promise<Request> {
  const app = express();
  // As behind a proxy, so that a test can have https.
  app.set('trust proxy', true);
  let received: Request | undefined;
  app.use((req, res) => {
    received = req;
    res.end();
  });
  await request(app)[method](path).set(headers);
  if (!received) throw new Error('The request did not arrive.');
  return received;
}
