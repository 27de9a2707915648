'use strict';
/**
 * Sends requests as the package does, as a process of its own that can be stopped. `node sender.cjs <lib as JavaScript>`;
 * messages are `{ call, name, … }`, answered by `{ answer, … }`.
 */
const { subscribe } = require('node:diagnostics_channel');
const { Buffer } = require('node:buffer');
const { readSync } = require('node:fs');
const { join } = require('node:path');

const folder = process.argv[2];
const { exchange } = require(join(folder, 'token/http.js'));
const { RequestHeldBack } = require(join(folder, 'token/send-guard.js'));
const { systemClock } = require(join(folder, 'clock.js'));

/** The parent keeps this process at a step by not writing to this pipe. */
const pipe = 4;
let stopsAtConnect = false;

subscribe('undici:client:beforeConnect', () => {
  if (!stopsAtConnect) return;
  stopsAtConnect = false;
  process.send({ news: 'connecting' });
  readSync(pipe, Buffer.alloc(1));
});

/** With HTTP/2 by the npm package undici, for a Node whose own `fetch` does not speak it. */
function fetchBy(by) {
  if (by !== 'undici') return undefined;
  const { Agent, fetch: send } = require('undici');
  const dispatcher = new Agent({ allowH2: true, connect: { ca: process.env.AUTHORITY } });
  return (url, init) => send(url, { ...init, dispatcher });
}

const senders = new Map();
function senderOf(by) {
  if (!senders.has(by)) senders.set(by, fetchBy(by));
  return senders.get(by);
}

/** Sure for a time, as a lease is, or for a number of questions. */
function guardOf({ sureMs = Infinity, sureTimes = Infinity }) {
  const since = Date.now();
  let asked = 0;
  return {
    get isSure() {
      return Date.now() - since < sureMs && ++asked <= sureTimes;
    },
  };
}

const calls = {
  async send({ url, by, body, guard, httpTimeoutMs = 60_000, stopAtConnect = false }) {
    stopsAtConnect = stopAtConnect;
    const request = { method: 'POST', headers: {}, body: new URLSearchParams(body), guard: guard && guardOf(guard) };
    try {
      const { text } = await exchange(url, request, { fetch: senderOf(by), httpTimeoutMs }, systemClock);
      return text;
    } catch (error) {
      return error instanceof RequestHeldBack ? 'held back' : (error.code ?? String(error));
    }
  },
};

process.on('message', async ({ call, name, ...given }) => {
  process.send({ answer: call, value: await calls[name](given) });
});
process.on('disconnect', () => process.exit());
process.send({ news: 'ready' });
