const { logInOnce } = require('./login.cjs');

test('logs in', () => logInOnce(require('express-salesforce-auth'), require('express-salesforce-auth/emulator')), 60_000);
