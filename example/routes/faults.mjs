// @ts-check
import { performance } from 'node:perf_hooks';
import express from 'express';
import { needsLogin, wordsFor } from '../errors.mjs';
import { faultsPage } from '../pages/faults.mjs';
import { fetchAccounts } from './dashboard.mjs';
import { isOffline, leaveNotice } from './frame.mjs';
import { timelineOf } from './live.mjs';

/**
 * Faults to choose from.
 *
 * @typedef {import('express-salesforce-auth/emulator').FaultKind} FaultKind
 * @type {Readonly<Record<string, { name: string, effect: string, fault: FaultKind & { when?: 'after' } }>>}
 */
const kinds = {
  slow: { name: 'Slow', effect: 'The answer takes two seconds.', fault: { kind: 'delay', delayMs: 2000 } },
  unavailable: {
    name: '503 Service Unavailable',
    effect: 'Asks the caller to try again in two seconds.',
    fault: { kind: 'status', status: 503, retryAfterSeconds: 2 },
  },
  limited: {
    name: '429 Too Many Requests',
    effect: 'Asks the caller to try again in two seconds.',
    fault: { kind: 'status', status: 429, retryAfterSeconds: 2 },
  },
  failed: {
    name: '500 Server Error',
    effect: 'Does not say whether the request was carried out.',
    fault: { kind: 'status', status: 500 },
  },
  garbage: { name: 'Web page', effect: 'A maintenance page instead of JSON.', fault: { kind: 'html' } },
  drop: { name: 'Dropped connection', effect: 'Before the request is carried out.', fault: { kind: 'drop' } },
  lost: {
    name: 'Lost answer',
    effect:
      'Dropped after the request was carried out. With rotation, the new refresh token is lost and a login is needed.',
    fault: { kind: 'drop', when: 'after' },
  },
};

/**
 * Pages that add faults to the emulator, if the emulator takes the place of Salesforce.
 *
 * These pages need a login but no valid token. They must open even if no valid token can be had.
 *
 * @param {import('./parts.mjs').Parts} parts
 */
export function faults(parts) {
  const { frameOf, settings, emulator } = parts;
  const router = express.Router();
  if (!emulator) return router;
  /** @type {{ name: string, handle: import('express-salesforce-auth/emulator').FaultHandle, times: number }[]} */
  let injected = [];
  const active = () => {
    injected = injected.filter(({ handle, times }) => handle.hits < times);
    return injected.map(({ name }) => name);
  };
  const isRotating = () => emulator.clients[0]?.policy.rotateRefreshTokens === true;

  router.use('/faults', (req, res, next) => {
    if (!isOffline(settings, emulator)) return next('router');
    if (req.salesforce.isAuthenticated) return next();
    if (req.method === 'GET') res.redirect(`/auth/salesforce?returnTo=${encodeURIComponent(req.originalUrl)}`);
    else res.redirect(303, '/');
  });

  /**
   * @param {import('express').Request} req
   * @param {import('../pages/faults.mjs').Trial} [trial]
   */
  const page = (req, trial) =>
    faultsPage(
      { ...frameOf(req), path: '/faults' },
      {
        timeline: timelineOf(parts, req.salesforce.grantId ?? ''),
        isRotating: isRotating(),
        active: active(),
        kinds,
        ...(trial && { trial }),
      },
    );

  router.get('/faults', (req, res) => {
    res.send(page(req));
  });

  router.get('/faults/try', async (req, res) => {
    const startedAt = performance.now();
    const trial = await tryAccounts(req);
    res.send(page(req, { ...trial, durationMs: performance.now() - startedAt }));
  });

  const expire = (/** @type {import('express').Request} */ req) => {
    emulator.expireAccessTokens({ userId: req.salesforce.user?.userId });
  };
  /**
   * @param {string} path
   * @param {(req: import('express').Request) => string} act returns the notice for the user
   */
  const post = (path, act) => {
    router.post(`/faults/${path}`, (req, res) => {
      leaveNotice(req, act(req));
      res.redirect(303, '/faults');
    });
  };

  post('expire', (req) => {
    expire(req);
    return 'Your access token has ended. Load the accounts: the first call refreshes the token.';
  });
  post('revoke', (req) => {
    emulator.revokeRefreshTokens({ userId: req.salesforce.user?.userId });
    return 'All your tokens are revoked. Load the accounts: you must log in, and then return to this page.';
  });
  post('rotate', () => {
    for (const { clientID } of emulator.clients) emulator.setPolicy(clientID, { rotateRefreshTokens: !isRotating() });
    return `Refresh token rotation is ${isRotating() ? 'on' : 'off'}.`;
  });
  post('clear', () => {
    emulator.faults.clear();
    injected = [];
    return 'All faults are removed.';
  });
  post('add', (req) => {
    const on = req.body?.on === 'data' ? 'data' : 'refresh';
    const kind = Object.hasOwn(kinds, String(req.body?.kind)) ? kinds[String(req.body?.kind)] : undefined;
    if (!kind) throw Object.assign(new Error('This fault does not exist.'), { status: 400, expose: true });
    const times = req.body?.isRepeated === 'yes' ? Infinity : 1;
    const name = `${kind.name} (${on === 'data' ? 'API' : 'refresh'}${times === 1 ? '' : ', until removed'})`;
    injected.push({ name, times, handle: emulator.faults.inject({ ...kind.fault, on, times }) });
    if (on === 'refresh') expire(req);
    return 'The fault is active. Load the accounts.';
  });

  return router;
}

/** @param {import('express').Request} req */
async function tryAccounts(req) {
  try {
    const { length } = await fetchAccounts(req, 50);
    return { isGood: true, code: undefined, message: `${length} accounts were loaded.` };
  } catch (error) {
    if (needsLogin(error)) throw error;
    return { isGood: false, ...wordsFor(error) };
  }
}
