/** An application, which somebody may take for the module with the options. */
module.exports = require('express')();
