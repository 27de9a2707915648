import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { manifest, runtimePackages } from './entries.mjs';
import { aliasOfDefault } from './wrappers.mjs';

const require = createRequire(pathToFileURL('package.json'));
const optionalPeers = Object.keys(manifest.peerDependenciesMeta ?? {});

/**
 * Writes one `.d.ts` per entry, with shared types in chunks. tsc would emit all of every module, with internal classes that
 * mention bundled packages. The bundle keeps only types that the public surface needs.
 */
export async function writeDeclarations(entries) {
  const modules = entries.filter(({ isProgram }) => !isProgram);
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  });
  const build = await rollup({
    input: Object.fromEntries(
      modules.map(({ name, source }) => [name, source.replace(/^lib/, 'dist/declarations').replace(/\.ts$/, '.d.ts')]),
    ),
    plugins: [dts()],
    external: (id) => !/^[./]/.test(id),
  });
  await build.write({
    dir: 'dist/types',
    entryFileNames: '[name].d.ts',
    chunkFileNames: ({ name }) => `chunks/${name.replace(/\.d$/, '')}.d.ts`,
    banner: '/// <reference types="node" />',
  });
  await build.close();
  rmSync('dist/declarations', { recursive: true });

  for (const { name } of modules) {
    const loaded = require(`./dist/${name}.js`);
    keepTypesOnly(`dist/types/${name}.d.ts`, loaded);
    writeFileSync(`dist/types/${name}.d.mts`, esmDeclaration(name, loaded));
  }
  for (const file of readdirSync('dist/types', { recursive: true })) {
    if (file.endsWith('.d.ts')) finish(`dist/types/${file}`);
  }
}

/** Restores `type` at exports. The bundle drops it, and would promise classes as values that do not exist. */
function keepTypesOnly(path, loaded) {
  const text = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    text.replace(/^export \{ (.*) \}( from '.*')?;$/gm, (_, list, from = '') =>
      list
        .split(', ')
        .map((item) => `export ${item.split(' as ').at(-1) in loaded ? '' : 'type '}{ ${item} }${from};`)
        .join('\n'),
    ),
  );
}

function esmDeclaration(name, loaded) {
  const from = `'./${name.split('/').at(-1)}.js'`;
  const named = `export * from ${from};\n`;
  return 'default' in loaded ? `${named}export { ${aliasOfDefault(loaded)} as default } from ${from};\n` : named;
}

/** Lets a consumer without an optional peer compile. Fails if a declaration shows an internal member or a bundled package. */
function finish(path) {
  const text = readFileSync(path, 'utf8');
  if (text.includes('@internal')) throw new Error(`${path} shows an internal member.`);
  const lines = text.split('\n').flatMap((line) => {
    // An example in a comment.
    if (/^\s*\* /.test(line)) return line;
    const id = /\b(?:from |import\(|import )'([^'.][^']*)'/.exec(line)?.[1];
    if (id === undefined || id.startsWith('node:')) return line;
    if (!runtimePackages.has(id)) throw new Error(`${path} mentions ${id}, which a consumer may not have installed.`);
    if (!optionalPeers.includes(id)) return line;
    return [`// @ts-ignore: ${id} is optional; without it, its types are any.`, line];
  });
  writeFileSync(path, lines.join('\n'));
}
