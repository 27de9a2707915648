import assert from 'node:assert/strict';
import salesforceAuth, { requireSalesforce, salesforceAuth as named } from 'express-salesforce-auth';
import { startEmulator } from 'express-salesforce-auth/emulator';
import login from './login.cjs';

assert.equal(salesforceAuth, named);
await login.logInOnce({ salesforceAuth, requireSalesforce }, { startEmulator });
