import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import * as mainEntry from '../../lib';
import * as emulatorEntry from '../../lib/emulator';
import * as strategyEntry from '../../lib/strategy';

export const root: string = resolve(__dirname, '../..');

export const documents: readonly string[] = [
  ...readdirSync(root).filter((file) => file.endsWith('.md') && file !== 'THIRD-PARTY-LICENSES.md'),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** A block of code of the documentation. */
export interface Block {
  document: string;
  line: number;
  language: 'ts' | 'js';
  /** The text of the comment just above. */
  comment: string;
  code: string;
}

export const blocks: readonly Block[] = documents.flatMap((document) => {
  const text = read(document);
  return [...text.matchAll(/(?:<!-- ((?:(?!-->)[^])*?) ?-->\s*)?^```(ts|js)\n([^]*?)^```$/gm)].map(
    ({ index, 0: whole, 1: comment = '', 2: language, 3: code = '' }): Block => ({
      document,
      line: text.slice(0, index + whole.indexOf('```')).split('\n').length + 1,
      language: language as Block['language'],
      comment,
      code,
    }),
  );
});

/** The entry points of the package, as package.json names them, with their sources. */
export const entryPoints: readonly { name: string; source: string }[] = Object.keys(
  (JSON.parse(read('package.json')) as { exports: Record<string, unknown> }).exports,
)
  .filter((subpath) => !/\.(json|sql)$/.test(subpath))
  .map((subpath) => {
    const path = subpath === '.' ? 'index' : subpath.slice(2);
    const source = [`lib/${path}.ts`, `lib/${path}/index.ts`].find((file) => existsSync(join(root, file)));
    return { name: join('express-salesforce-auth', subpath), source: source! };
  });

/** The `@example` in the comment above a class or function, wherever it is in `lib/`. `comment` is the name. */
export const examples: readonly Block[] = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .flatMap((file) => {
    const text = read(`lib/${file}`);
    return [...text.matchAll(/^ \* @example\n((?: \*.*\n)+?) \*\/\nexport (?:async )?(?:function|class) (\w+)/gm)].map(
      ({ index, 1: lines = '', 2: comment = '' }): Block => ({
        document: `lib/${file}`,
        line: text.slice(0, index).split('\n').length + 1,
        language: 'ts',
        comment,
        code: lines.replace(/^ \* ?/gm, ''),
      }),
    );
  });

/** The file a block is a part of, under `<!-- from <file> -->`. */
export function fileOf({ comment }: Block): string | undefined {
  return /^from (\S+)$/.exec(comment.trim())?.[1];
}

/** The one block under a comment. */
export function blockNamed(comment: string): Block {
  const found = blocks.filter((block) => block.comment.trim() === comment);
  if (found.length !== 1) throw new Error(`There are ${found.length} blocks under <!-- ${comment} -->.`);
  return found[0]!;
}

/** Runs a block as CommonJS, with the package's names standing for its sources; returns what it exports. */
export function run(code: string, given: Record<string, unknown> = {}, modules: Record<string, unknown> = {}): unknown {
  const { body, load, exports } = prepare(code, modules);
  const names = ['require', 'exports', ...Object.keys(given)];
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- running it is the test
  new Function(...names, body)(load, exports, ...Object.values(given));
  return exports;
}

/** The same for a block that waits for something at its top. */
export async function runWaiting(
  code: string,
  given: Record<string, unknown>,
  modules: Record<string, unknown>,
): Promise<void> {
  const { body, load, exports } = prepare(code, modules);
  const names = ['require', 'exports', ...Object.keys(given)];
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- running it is the test
  await new Function(...names, `return (async () => {${body}\n})()`)(load, exports, ...Object.values(given));
}

function prepare(code: string, modules: Record<string, unknown>) {
  const exports = {};
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  });
  const provided: Record<string, unknown> = {
    'express-salesforce-auth': mainEntry,
    'express-salesforce-auth/strategy': strategyEntry,
    'express-salesforce-auth/emulator': emulatorEntry,
    ...modules,
  };
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- what the block asks for at run time
  const load = (name: string): unknown => provided[name] ?? (require(name) as unknown);
  return { body: outputText, load, exports };
}
