'use strict';
/** jest's transform for files that are imported as text, such as Lua scripts; tools/build/bundle.mjs does the same. */
module.exports = { process: (text) => ({ code: `module.exports = ${JSON.stringify(text)};` }) };
