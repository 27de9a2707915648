import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * Writes a `.mjs` for each CommonJS entry, which exports the same names. `import` and `require` thus share one module and one
 * refresh coordinator.
 */
export async function writeWrappers(entries) {
  const require = createRequire(pathToFileURL('package.json'));
  for (const { name, isProgram } of entries) {
    if (isProgram) continue;
    const loaded = require(`./dist/${name}.js`);
    const file = name.split('/').at(-1);
    writeFileSync(`dist/${name}.mjs`, `export { ${exportNames(loaded).join(', ')} } from './${file}.js';\n`);

    // Node.js finds the names of a CommonJS module in its text. This checks that it finds all of them.
    const wrapped = await import(pathToFileURL(`dist/${name}.mjs`).href);
    for (const key of Object.keys(loaded)) {
      if (wrapped[key] !== loaded[key]) throw new Error(`dist/${name}.mjs does not pass on ${key}.`);
    }
  }
}

function exportNames(loaded) {
  const names = Object.keys(loaded).filter((key) => key !== 'default');
  return 'default' in loaded ? [...names, `${aliasOfDefault(loaded)} as default`] : names;
}

/** In Node.js a default import of CommonJS is all of `module.exports`, so the default is exported under its other name. */
export function aliasOfDefault(loaded) {
  const alias = Object.keys(loaded).find((key) => key !== 'default' && loaded[key] === loaded.default);
  if (alias === undefined) throw new Error('A default export must be exported under a name as well.');
  return alias;
}
