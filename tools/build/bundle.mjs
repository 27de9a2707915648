import { chmodSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { resolve } from 'node:path';
import nodeResolve from '@rollup/plugin-node-resolve';
import swc from '@rollup/plugin-swc';
import { rollup } from 'rollup';
import { runtimePackages } from './entries.mjs';

/**
 * Bundled packages: two that are ESM only, which a consumer's jest in CommonJS mode cannot require, and one that only the
 * emulator uses, so that no server has to install it.
 */
const bundledPackages = ['oauth4webapi', 'jose', 'csv-parse'];

/**
 * Comments are left to the declarations and the sources. Text beyond ASCII is escaped, because Node.js reads and compiles a file
 * of ASCII alone in less time. Names and lines stay, so that a stack trace can be read.
 */
const minify = { compress: false, mangle: false, format: { comments: false, asciiOnly: true } };

/** Imports Lua scripts as text. tools/test/text.cjs does the same for jest. */
const texts = {
  name: 'texts',
  transform: (text, id) =>
    id.endsWith('.lua') ? { code: `export default ${JSON.stringify(text)};`, map: null } : null,
};

/**
 * Writes the entries as CommonJS, with shared code in chunks, so that every class exists once.
 *
 * @returns the names of the bundled packages
 */
export async function bundle(entries) {
  const build = await rollup({
    input: Object.fromEntries(entries.map(({ name, source }) => [name, source])),
    external: (id) => !/^[./]/.test(id) && !bundledPackages.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [
      nodeResolve({ extensions: ['.ts', '.js'], exportConditions: ['node'] }),
      texts,
      swc({
        swc: { jsc: { parser: { syntax: 'typescript' }, target: 'es2022', minify, output: { charset: 'ascii' } } },
        exclude: ['node_modules/**', '**/*.lua'],
      }),
    ],
    onwarn(warning) {
      // An entry of types alone.
      if (warning.code === 'EMPTY_BUNDLE') return;
      throw new Error(`rollup: ${warning.message}`);
    },
  });
  const { output } = await build.write({
    dir: 'dist',
    format: 'cjs',
    exports: 'named',
    // The same as TypeScript's esModuleInterop and the transform of the tests.
    interop: 'auto',
    // Rooms that are loaded at their first use are required, because jest supports import() only with a flag.
    dynamicImportInCjs: false,
    manualChunks: chunksOf(entries),
    chunkFileNames: ({ moduleIds }) => `chunks/${packageOf(moduleIds) ?? '[name]'}.js`,
  });
  await build.close();
  output.forEach(checkImports);
  for (const { name, isProgram } of entries) if (isProgram) chmodSync(`dist/${name}.js`, 0o755);
  const modules = output.flatMap((chunk) => chunk.moduleIds);
  return bundledPackages.filter((name) => modules.some((id) => id.includes(`/node_modules/${name}/`)));
}

/**
 * Two files for what the main entry loads at once: `main` has what it alone needs, `shared` what other entries need too. Left to
 * itself, rollup makes a dozen files, and each file that a process loads costs as much as a thousand lines in it.
 */
function chunksOf(entries) {
  const sources = entries.map(({ source }) => resolve(source));
  let main;
  let others;
  return (id, { getModuleInfo }) => {
    main ??= reachedFrom([resolve('lib/index.ts')], getModuleInfo);
    others ??= reachedFrom(
      sources.filter((source) => source !== resolve('lib/index.ts')),
      getModuleInfo,
    );
    if (!main.has(id) || sources.includes(id)) return undefined;
    return others.has(id) ? 'shared' : 'main';
  };
}

/** The modules that are loaded with the given ones. */
function reachedFrom(ids, getModuleInfo, found = new Set()) {
  for (const id of ids) {
    const module = getModuleInfo(id);
    if (found.has(id) || !module || module.isExternal) continue;
    found.add(id);
    reachedFrom(module.importedIds, getModuleInfo, found);
  }
  return found;
}

/** The package that a chunk is taken from. */
function packageOf(moduleIds) {
  return bundledPackages.find((name) => moduleIds.every((id) => id.includes(`/node_modules/${name}/`)));
}

function checkImports({ fileName, imports, dynamicImports }) {
  for (const id of [...imports, ...dynamicImports]) {
    const isChunk = /^(chunks\/|[\w-]+(\/[\w-]+)*\.js$)/.test(id) && id.endsWith('.js');
    const isBuiltin = id.startsWith('node:') || builtinModules.includes(id);
    if (!isChunk && !isBuiltin && !runtimePackages.has(id)) {
      throw new Error(`dist/${fileName} imports ${id}, which is neither a dependency nor a peer dependency.`);
    }
  }
}
