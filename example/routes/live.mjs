// @ts-check
import express from 'express';
import { timeline } from '../pages/timeline.mjs';

/** Interval at which the panel is sent, in milliseconds. Sending also shows whether the browser is still connected. */
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
  /** @type {Set<() => void>} What ends each open stream. */
  const open = new Set();

  router.get('/live', (req, res) => {
    const { grantId } = req.salesforce;
    if (grantId === undefined || isOver) {
      // Status 204 tells an EventSource not to connect again.
      res.status(204).end();
      return;
    }
    // The browser has left while its request waited. 'close' would not come any more, and the timer below would never end.
    if (res.closed) return;
    // Without `close`, the browser would connect again on the same connection while the server stops.
    res.set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no', Connection: 'close' });
    res.write('retry: 1000\n\n');
    const send = (/** @type {string} */ news = '') => {
      const data = { html: timelineOf(parts, grantId).toString(), news };
      res.write(`data: ${JSON.stringify(data)}\n\n`);
    };
    const onChange = (/** @type {string} */ changed) => {
      if (changed === grantId) send(newsOf(history.of(grantId)));
    };
    // Another session of the grant may have ended. The browser connects again to find out about its own session.
    const onLogout = (/** @type {string} */ ended) => {
      if (ended === grantId) endStream();
    };
    history.on('change', onChange).on('logout', onLogout);
    const ticks = setInterval(send, tickMs);
    // Nothing may be written after the end: Node.js ends the process for that. 'close' comes later, after the last byte was sent.
    const endStream = () => {
      clearInterval(ticks);
      history.off('change', onChange).off('logout', onLogout);
      open.delete(endStream);
      res.end();
    };
    open.add(endStream);
    res.once('close', endStream);
    send();
  });

  /** Ends all streams. Otherwise a server that stops would wait for them. */
  const end = () => {
    // A stream that is requested now, on an open connection, must not start.
    isOver = true;
    for (const endStream of open) endStream();
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
    case 'refreshed':
      return 'The access token was refreshed.';
    case 'ended':
      return 'The login has ended. Log in again.';
    default:
      return 'A refresh failed. The package will try again.';
  }
}
