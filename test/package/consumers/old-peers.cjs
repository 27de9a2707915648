'use strict';
/** The majors before those this package is developed with: what works with them, and what is said if it does not. */
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { createServer } = require('node:net');
const { logInOnce } = require('./login.cjs');
const { RedisTokenStore } = require('express-salesforce-auth/stores/redis');

main();

async function main() {
  await logInOnce(require('express-salesforce-auth'), require('express-salesforce-auth/emulator'), {
    connection: 'ERR_SALESFORCE_JSFORCE',
  });
  assert.ok(new RedisTokenStore({ client: require('redis4').createClient() }));
  assert.ok(new RedisTokenStore({ client: new (require('ioredis4'))({ lazyConnect: true }) }));
  await refusesRedis3();
}

async function refusesRedis3() {
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = require('redis3').createClient({ port: server.address().port });
  client.on('error', () => undefined);
  assert.throws(() => new RedisTokenStore({ client }), /Install redis 4 or later/);
  client.end(false);
  server.close();
}
