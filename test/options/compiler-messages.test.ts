/* What the compiler says of a misspelt option. @tier all */
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../..');

/** The first line of each message about a program. */
function firstLines(code: string): string[] {
  const file = join(root, 'misspelt.ts');
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: ['node'],
    strict: true,
    esModuleInterop: true,
    skipLibCheck: true,
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const real = ts.createCompilerHost(options);
  host.fileExists = (name) => name === file || real.fileExists(name);
  host.getSourceFile = (name, version, ...rest) =>
    name === file ? ts.createSourceFile(name, code, version, true) : real.getSourceFile(name, version, ...rest);
  const program = ts.createProgram([file], options, host);
  return program
    .getSemanticDiagnostics(program.getSourceFile(file))
    .map(({ messageText }) => (typeof messageText === 'string' ? messageText : messageText.messageText));
}

const calls: readonly [misspelt: string, call: string][] = [
  ['clientSecrets', `salesforceAuth({ clientID: '3MVG9', clientSecrets: '__fake__' })`],
  ['clientId', `salesforceAuth({ clientId: '3MVG9' })`],
  ['promt', `salesforceAuth({ clientID: '3MVG9', promt: 'login' })`],
  ['dispaly', `salesforceAuth({ clientID: '3MVG9', login: { dispaly: 'page' } })`],
  ['waitMS', `salesforceAuth({ clientID: '3MVG9', refresh: { waitMS: 1 } })`],
  ['tenants', `salesforceAuth({ configuration: () => ({ clientID: '3MVG9' }), tenants: () => 'a' })`],
  ['everywere', `salesforceAuth({ clientID: '3MVG9' }).logout({ everywere: true })`],
  ['scope', `requireSalesforce({ scope: 'api' })`],
  ['sweepMs', `new MemoryTokenStore({ sweepMs: 1 })`],
];

it('names a misspelt option in its first line', () => {
  const code = [
    `import { MemoryTokenStore, requireSalesforce, salesforceAuth } from './lib';`,
    ...calls.map(([, call], number) => `export const call${number} = ${call};`),
  ].join('\n');

  const lines = firstLines(code);

  expect(lines).toHaveLength(calls.length);
  for (const [number, [misspelt]] of calls.entries()) expect(lines[number]).toContain(`'${misspelt}'`);
}, 120_000);
