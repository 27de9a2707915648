/** Every subpath loads both ways, and both ways give the same functions and classes: two copies would be two coordinators. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
/** Has types and no values. */
const typesOnly = 'express-salesforce-auth/stores';
for (const subpath of process.argv.slice(2)) {
  const required = require(subpath);
  const imported = await import(subpath);
  assert.equal(Object.keys(required).length > 0, subpath !== typesOnly, subpath);
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort(), subpath);
  for (const name of Object.keys(required)) assert.equal(imported[name], required[name], `${subpath}: ${name}`);
}
