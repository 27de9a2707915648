import { existsSync, readFileSync } from 'node:fs';

export const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

/** Packages that the built files may import. Consumers have no others installed. */
export const runtimePackages = new Set([
  ...Object.keys(manifest.dependencies),
  ...Object.keys(manifest.peerDependencies),
]);

/**
 * The entry points, read from package.json, so that a new subpath is declared in one place.
 *
 * @returns {{ name: string, source: string, isProgram: boolean }[]} `name` as in `dist/<name>.js`
 */
export function readEntries() {
  const modules = Object.values(manifest.exports).filter((target) => typeof target === 'object');
  const outputs = [
    ...modules.map((target) => ({ file: target.require.default, isProgram: false })),
    ...Object.values(manifest.bin).map((file) => ({ file, isProgram: true })),
  ];
  return outputs.map(({ file, isProgram }) => {
    const name = /^(?:\.\/)?dist\/(.+)\.js$/.exec(file)?.[1];
    if (name === undefined) throw new Error(`package.json: ${file} is not of the form dist/<name>.js.`);
    const candidates = [`lib/${name}.ts`, `lib/${name}/index.ts`];
    const source = candidates.find((candidate) => existsSync(candidate));
    if (source === undefined)
      throw new Error(`package.json promises ${file}, but there is no ${candidates.join(' or ')}.`);
    return { name, source, isProgram };
  });
}
