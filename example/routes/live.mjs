// @ts-check
import express from 'express';
import { timeline } from '../pages/timeline.mjs';

/** How often the mark of the present moves, in milliseconds. It also finds out whether the browser is still there. */
const tickMs = 5000;

/**
 * The life of the user's token as server-sent events, each with the whole panel.
 *
 * @param {import('./parts.mjs').Parts} parts
 */
export function live(parts) {
  const { history } = parts;
  const router = express.Router();
  let isOver = false;
  /** @type {Set<import('express').Response>} */
  const open = new Set();

  router.get('/live', (req, res) => {
    const { grantId } = req.salesforce;
    if (grantId === undefined || isOver) {
      // 204 tells an EventSource not to come again.
      res.status(204).end();
      return;
    }
    // The browser has left while its request waited: 'close' would not come any more, and the timer below would never end.
    if (res.closed) return;
    // Not kept alive: the browser would come again on the same connection while the server is being stopped.
    res.set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no', Connection: 'close' });
    res.write('retry: 1000\n\n');
    const send = (/** @type {string} */ news = '') => {
      const data = { html: timelineOf(parts, grantId).toString(), news };
      res.write(`data: ${JSON.stringify(data)}\n\n`);
    };
    const onChange = (/** @type {string} */ changed) => {
      if (changed === grantId) send(newsOf(history.of(grantId)));
    };
    // Whether this very session has ended, the browser finds out by coming again.
    const onLogout = (/** @type {string} */ ended) => {
      if (ended === grantId) res.end();
    };
    history.on('change', onChange).on('logout', onLogout);
    const ticks = setInterval(send, tickMs);
    open.add(res);
    res.once('close', () => {
      clearInterval(ticks);
      history.off('change', onChange).off('logout', onLogout);
      open.delete(res);
    });
    send();
  });

  /** Ends all streams: a server that stops would wait for them. */
  const end = () => {
    // One that is asked for at this moment, on a connection that is still open, would not end.
    isOver = true;
    for (const res of open) res.end();
  };
  return { router, end };
}

/**
 * @param {Pick<import('./parts.mjs').Parts, 'history' | 'settings'>} parts
 * @param {string} grantId
 */
export function timelineOf({ history, settings }, grantId) {
  const { sessionTimeoutSeconds = 7200 } = settings.current;
  return timeline(history.of(grantId), { sessionTimeoutSeconds, now: Date.now() });
}

/** @param {import('../history.mjs').Life} life */
function newsOf({ isRefreshing, attempts }) {
  if (isRefreshing) return '';
  switch (attempts.at(-1)?.outcome) {
    case undefined:
      return '';
    case 'success':
      return 'The access token was refreshed.';
    case 'lost':
      return 'The login is over.';
    default:
      return 'A refresh failed, and will be tried again.';
  }
}
