import express, { type RequestHandler, type Response } from 'express';
import type { Provider } from '../provider';
import { isLocal, isOwnForm } from './access';
import { actions } from './actions';
import { consolePage } from './page';
import { consoleScript } from './style';
import { liveView } from './view';

const headers = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  // With `no-referrer`, browsers would send forms with the origin `null`.
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * The console at `/console`, for browsers on this machine. Other machines get 404, because the console can add faults and
 * shows the requests of clients, although masked. Requests of the console are not recorded.
 */
export function consoleRoutes(provider: Provider): express.Router {
  const router = express.Router();
  const guard: RequestHandler = (req, res, next) => {
    if (!isLocal(req)) next('router');
    else {
      res.set(headers);
      next();
    }
  };
  router.get('/', guard, (_req, res) => {
    res.type('html').send(consolePage(provider, liveView(provider)));
  });
  router.get('/script.js', guard, (_req, res) => {
    res.type('js').send(consoleScript);
  });
  router.get('/events', guard, (_req, res) => {
    stream(res, provider);
  });
  for (const [name, act] of Object.entries(actions)) {
    router.post(`/${name}`, guard, (req, res) => {
      if (!isOwnForm(req)) {
        res.status(403).type('text').send('Another site sent this form.');
        return;
      }
      const body: unknown = req.body;
      act(provider, new URLSearchParams(typeof body === 'string' ? body : ''));
      provider.feed.changed();
      res.redirect(303, '/console');
    });
  }
  return router;
}

/** Server-sent events. Each has the whole part of the page that changes. */
function stream(res: Response, provider: Provider): void {
  // A browser that has left already would be sent news for ever.
  if (res.closed) return;
  res.set({ 'content-type': 'text/event-stream', connection: 'close' });
  const send = (): void => {
    res.write(`data: ${JSON.stringify(liveView(provider))}\n\n`);
  };
  const unsubscribe = provider.feed.subscribe(send);
  res.once('close', unsubscribe);
  send();
}
