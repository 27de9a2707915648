'use strict';
const { logInOnce } = require('./login.cjs');

logInOnce(require('express-salesforce-auth'), require('express-salesforce-auth/emulator'));
