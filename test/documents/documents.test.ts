import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import express from 'express';
import { MemoryStore } from 'express-session';
import request from 'supertest';
import ts from 'typescript';
import { emulatorHelp } from '../../lib/cli/help';
import { clientOptions } from '../../lib/options/parts/client';
import { staticOptions, tenantOptions } from '../../lib/options/parts/middleware';
import type { Part } from '../../lib/options/spec';
import { logInAtEmulator, startTestEmulator } from '../helpers/emulator';
import { blockNamed, blocks, documents, entryPoints, examples, fileOf, read, root, run, type Block } from './blocks';

/*
 * What the documentation says is checked against the code:
 * - each ts and js block, and each `@example` of an exported value, compiles, with the lines of a comment `<!-- given … -->` just above it put in front, or is a part of
 *   a file, as a comment `<!-- from <file> -->` says;
 * - a table under `<!-- lists <interface> in <file> -->` has a row for each member of the interface and no other;
 * - the quick start and the recipes for tests are run; in-use.test.ts runs the others.
 */

describe('code in the documentation', () => {
  it('compiles', () => {
    const fences = documents.flatMap(
      (document) => read(document).match(/^```(?:ts|js|typescript|javascript)$/gm) ?? [],
    );

    expect(blocks).toHaveLength(fences.length);
    expect(compile([...blocks.filter((block) => fileOf(block) === undefined), ...examples])).toEqual([]);
  }, 60_000);

  it('is in the comment of each value that the package exports', () => {
    const values = entryPoints.flatMap(({ source }) =>
      Object.entries(jest.requireActual<Record<string, object>>(join(root, source)))
        .filter(([name]) => name !== 'default')
        .map(([name]) => name),
    );

    expect(values.length).toBeGreaterThan(10);
    expect(examples.map(({ comment }) => comment).sort()).toEqual(values.sort());
  });

  it('is in the named file, which is checked and run', () => {
    const quoted = blocks.flatMap((block) => {
      const file = fileOf(block);
      return file === undefined ? [] : [{ place: `${block.document}:${block.line}`, file, code: block.code }];
    });

    expect(quoted.length).toBeGreaterThan(5);
    // A file may say types in comments.
    const plain = (code: string): string => code.replace(/\/\*\*[^]*?\*\/\s*/g, '');
    expect(
      quoted.filter(({ file, code }) => !plain(read(file)).includes(plain(code))).map(({ place }) => place),
    ).toEqual([]);
  });
});

/** Compiles blocks as modules of their own in the root of the repository, as its users' strict TypeScript would. */
function compile(given: readonly Block[]): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: ['node', 'jest'],
    strict: true,
    esModuleInterop: true,
    skipLibCheck: true,
    noEmit: true,
    allowJs: true,
    checkJs: true,
    paths: Object.fromEntries(entryPoints.map(({ name, source }) => [name, [join(root, source)]])),
  };
  const sources = new Map(
    given.map((block, number) => {
      const preamble = /^given\n([^]*)$/.exec(block.comment)?.[1] ?? '';
      const isScript = block.language === 'js' && block.code.includes('require(');
      const code = `${preamble}\n${block.code}${isScript ? '' : '\nexport {};'}`;
      return [join(root, `documented-${number}.${block.language}`), { block, preamble, code }];
    }),
  );
  const host = ts.createCompilerHost(options);
  const real = ts.createCompilerHost(options);
  host.fileExists = (file) => sources.has(file) || real.fileExists(file);
  host.readFile = (file) => sources.get(file)?.code ?? real.readFile(file);
  host.getSourceFile = (file, languageVersion) => {
    const source = sources.get(file);
    return source
      ? ts.createSourceFile(file, source.code, languageVersion, true)
      : real.getSourceFile(file, languageVersion);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  const global = program
    .getOptionsDiagnostics()
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
  const local = [...sources].flatMap(([file, { block, preamble, code }]) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
      .filter((diagnostic) => block.language === 'ts' || !isAboutMissingTypes(diagnostic))
      .map(({ start = 0, messageText }) => {
        const line = block.line + code.slice(0, start).split('\n').length - preamble.split('\n').length - 1;
        return `${block.document}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      });
  });
  return [...global, ...local];
}

/** Implicit `any`, which is how JavaScript is written, and Passport's `req.user`, which has no members until they are declared. */
function isAboutMissingTypes({ code, messageText }: ts.Diagnostic): boolean {
  const isPassportUser =
    code === 2339 && ts.flattenDiagnosticMessageText(messageText, ' ').endsWith("does not exist on type 'User'.");
  return (code >= 7005 && code <= 7034) || code === 7053 || isPassportUser;
}

describe('the quick start of README.md', () => {
  const quickStart = blockNamed('quick start').code;
  const withRequire = quickStart.replace(/^(?:import .*\n)+/, blockNamed('quick start with require').code);
  const servers: Server[] = [];

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    ['import', quickStart],
    ['require', withRequire],
  ])('logs in and shows accounts, with %s', async (form, code) => {
    expect(code.includes('require(')).toBe(form === 'require');
    const emulator = await startTestEmulator();
    const client = emulator.clients[0]!;
    const env = {
      SALESFORCE_CLIENT_ID: client.clientID,
      SALESFORCE_CLIENT_SECRET: client.clientSecret,
      SALESFORCE_BASE_URL: emulator.url,
    };
    // The port of the block may be in use on this machine; everything else is as written.
    const createApp = (): express.Express => {
      const app = express();
      const listen = app.listen.bind(app);
      app.listen = ((...given: unknown[]) => {
        // With a function, Express 5 would pass it the error of a port in use, and the process would end as if all were well.
        expect(given).toEqual([3000]);
        const server = listen(0, 'localhost');
        servers.push(server);
        return server;
      }) as typeof app.listen;
      return app;
    };

    run(code, { process: { env } }, { express: createApp });
    const server = servers[0]!;
    await once(server, 'listening');
    const url = `http://localhost:${(server.address() as AddressInfo).port}`;
    client.callbackURLs.push(`${url}/auth/salesforce/callback`);
    const browser = request.agent(url);
    const refused = await browser.get('/').set('accept', 'text/html');
    const login = await browser.get(refused.headers['location'] as string);
    const callback = await logInAtEmulator({
      authorizeUrl: login.headers['location'] as string,
      ...emulator.users[0]!,
    });
    const home = await browser.get(callback.slice(url.length));
    const page = await browser.get(home.headers['location'] as string);

    expect(refused.status).toBe(302);
    expect(home.headers['location']).toBe('/');
    expect(page.status).toBe(200);
    expect(page.body.user).toBe(emulator.users[0]!.displayName);
    expect(page.body.accounts.records.length).toBeGreaterThan(0);
  });

  it('is as short as the README says', () => {
    expect(quickStart.trim().split('\n').length).toBeLessThanOrEqual(15);
    expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(210);
  });
});

describe('the recipe of docs/guide/testing.md', () => {
  run(blockNamed('recipe').code, { describe, it, expect, beforeEach, afterEach });
});

describe('the way from passport-forcedotcom', () => {
  async function start(step: string) {
    const emulator = await startTestEmulator();
    const { createApp } = run(blockNamed(`migration: ${step}`).code) as {
      createApp: (settings: object) => express.Express;
    };
    const callbackURL = 'http://localhost:3000/auth/salesforce/callback';
    // passport-forcedotcom sends no PKCE, which apps made today require.
    const { clientID, clientSecret } = emulator.registerClient({ callbackURLs: [callbackURL], app: 'legacy' });
    const app = createApp({ clientID, clientSecret, callbackURL, baseUrl: emulator.url });
    const browser = request.agent(app).set('Cookie', await emulator.logInTo(app));
    return { emulator, browser };
  }

  it.each(['before', 'the strategy', 'the middleware'])('logs in and shows accounts: %s', async (step) => {
    const { emulator, browser } = await start(step);

    const { body } = await browser.get('/accounts');

    expect(body.name).toBe(emulator.users[0]!.displayName);
    expect(body.reply.records).not.toHaveLength(0);
  });

  it.each([
    ['before', 401],
    ['the strategy', 401],
    ['the middleware', 200],
  ])('when the token has ended: %s, %d', async (step, status) => {
    const { emulator, browser } = await start(step);
    emulator.expireAccessTokens();

    expect((await browser.get('/accounts')).status).toBe(status);
  });
});

describe('the way from jsforce by hand', () => {
  /** The application before and after, with one store of sessions. */
  async function start() {
    const emulator = await startTestEmulator();
    const callbackURL = 'http://localhost:3000/auth/salesforce/callback';
    // The application sends no PKCE, which apps made today require.
    const policy = { rotateRefreshTokens: true };
    const { clientID, clientSecret } = emulator.registerClient({ callbackURLs: [callbackURL], app: 'legacy', policy });
    const settings = { clientID, clientSecret, callbackURL, baseUrl: emulator.url, store: new MemoryStore() };
    const create = (step: string): express.Express => {
      const block = run(blockNamed(`migration: jsforce, ${step}`).code) as { createApp: (given: object) => never };
      return block.createApp(settings);
    };
    return { emulator, before: create('before'), after: create('after') };
  }

  it.each(['before', 'after'] as const)('logs in and shows accounts: %s', async (step) => {
    const { emulator, ...apps } = await start();
    const browser = request.agent(apps[step]).set('Cookie', await emulator.logInTo(apps[step]));

    expect((await browser.get('/accounts')).body.records).not.toHaveLength(0);
  });

  it('leaves users logged in, with their refresh tokens adopted', async () => {
    const { emulator, before, after } = await start();
    const cookie = await emulator.logInTo(before);
    const browser = request.agent(after);
    const first = await browser.get('/accounts').set('Cookie', cookie);

    expect(first.body.records).not.toHaveLength(0);
    emulator.expireAccessTokens();
    expect((await browser.get('/accounts')).body.records).not.toHaveLength(0);
    expect([...emulator.presentations.values()]).toEqual([1, 1]);
  });
});

describe('the recipe for node:test', () => {
  it('passes without changes', async () => {
    const { code } = blockNamed('node:test recipe');
    const args = ['--input-type=module', '--test-reporter=tap', '--eval', code];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });

    expect(stdout).toMatch(/^# pass 1$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });
});

describe('links in the documentation', () => {
  it('lead to existing targets', () => {
    const links = documents.flatMap((document) =>
      [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({ document, target })),
    );
    const relative = links.filter(({ target }) => !/^https?:/.test(target));

    expect(relative.length).toBeGreaterThan(20);
    expect(relative.filter(({ document, target }) => !resolves(document, target))).toEqual([]);
  });

  it('lead from docs/README.md to every page', () => {
    const listed = [...read('docs/README.md').matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) =>
      join('docs', target),
    );

    expect(documents.filter((page) => /^docs\/.+\//.test(page) && !listed.includes(page))).toEqual([]);
  });
});

function resolves(document: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? document : join(dirname(document), path);
  if (!existsSync(join(root, file))) return false;
  return anchor === undefined || headings(read(file)).map(slug).includes(anchor);
}

function withoutCode(text: string): string {
  return text.replace(/^```[^]*?^```$/gm, '');
}

function headings(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
}

/** The anchor GitHub gives a heading. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replace(/ /g, '-');
}

describe('error codes in the documentation', () => {
  const codes = [...read('lib/error-codes.ts').matchAll(/'(ERR_SALESFORCE_\w+)'/g)].map(([, code = '']) => code);

  it('are those of lib/errors.ts, each with a heading of its own', () => {
    const documented = headings(read('docs/reference/errors.md')).filter((heading) => heading.startsWith('ERR_'));

    expect(codes.length).toBeGreaterThan(50);
    expect(documented.toSorted()).toEqual(codes.toSorted());
  });

  it('exist, if a document names them', () => {
    const named = documents.flatMap((document) =>
      [...read(document).matchAll(/ERR_SALESFORCE_\w+/g)].map(([code]) => `${document}: ${code}`),
    );

    expect(named.filter((name) => !codes.includes(name.replace(/^.*: /, '')))).toEqual([]);
  });
});

describe('tables in the documentation', () => {
  const tables = documents.flatMap((document) =>
    [...read(document).matchAll(/<!-- lists (\w+) in (\S+) -->\s+((?:\|.*\n)+)/g)].map(
      ([, name = '', file = '', table = '']) => ({ document, name, file, table }),
    ),
  );

  it('exist for every set of options', () => {
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['ClientOptions', 'StaticOptions', 'LoginOptions', 'EmulatorOptions', 'SalesforceEvents']),
    );
  });

  it.each(tables)('list all members of $name in $document', ({ name, file, table }) => {
    expect(firstColumn(table).toSorted()).toEqual(membersOf(file, name).toSorted());
  });

  it('list the fields of every event', () => {
    const { table } = tables.find(({ name }) => name === 'SalesforceEvents')!;
    const documented = [...table.matchAll(/^\| `([\w.]+)` *\| `\{ ([^}]*) \}`/gm)].map(([, name = '', fields = '']) => [
      name,
      fields.split(', '),
    ]);

    expect(Object.fromEntries(documented)).toEqual(fieldsOfEvents());
  });

  it('list the client options that are checked', () => {
    const table = tables.find(({ name }) => name === 'ClientOptions')!.table;

    expect(firstColumn(table).toSorted()).toEqual(Object.keys(clientOptions).sort());
  });

  it('list the options of the command line', () => {
    const table = /<!-- lists the options of lib\/cli\/help\.ts -->\s+((?:\|.*\n)+)/.exec(
      read('docs/guide/testing.md'),
    )?.[1];
    const options = [...emulatorHelp.matchAll(/^ {2}(--\S+(?: <\w+>)?)/gm)].map(([, option]) => option);

    expect([...(table ?? '').matchAll(/^\| `(--[^`]+)`/gm)].map(([, option]) => option)).toEqual(options);
  });

  it('list the options of README.md under names that exist', () => {
    const table = /## Options\n[^]*?((?:\|.*\n)+)/.exec(read('README.md'))?.[1] ?? '';
    const top: Part = { ...clientOptions, ...tenantOptions, ...staticOptions };
    const known = Object.entries(top).flatMap(([name, { options = {} }]) => [
      name,
      ...Object.keys(options).map((inside) => `${name}.${inside}`),
    ]);

    expect(firstColumn(table).length).toBeGreaterThan(10);
    expect(firstColumn(table).filter((name) => !known.includes(name))).toEqual([]);
  });
});

/** The names in the first column of a table, without the parameters of methods. */
function firstColumn(table: string): string[] {
  return [...table.matchAll(/^\| `([\w.]+)/gm)].map(([, name = '']) => name);
}

/** The fields of each event, as their type declares them. */
function fieldsOfEvents(): Record<string, string[]> {
  const file = 'lib/coordinator/events.ts';
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true);
  const events = source.statements
    .filter(ts.isInterfaceDeclaration)
    .find(({ name }) => name.text === 'SalesforceEvents');
  const textOf = (member: ts.TypeElement): string => member.name?.getText().replace(/'/g, '') ?? '';
  return Object.fromEntries(
    events!.members.filter(ts.isPropertySignature).map((event) => {
      const [data] = (event.type as ts.TupleTypeNode).elements as unknown as [ts.TypeLiteralNode];
      return [textOf(event), data.members.map(textOf)];
    }),
  );
}

/** Names of an interface's members, with those it picks from others. */
function membersOf(file: string, name: string): string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true);
  const found = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  );
  if (!found) throw new Error(`${file} has no interface ${name}.`);
  const picked = [...(found.heritageClauses?.map((clause) => clause.getText()).join() ?? '').matchAll(/'(\w+)'/g)];
  const own = found.members.map((member) => member.name?.getText().replace(/'/g, '') ?? '');
  return [...picked.map(([, member = '']) => member), ...own];
}

describe('commands in the documentation', () => {
  it('are scripts of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = documents.flatMap((document) =>
      [...read(document).matchAll(/npm (?:run ([\w:-]+)|(start|test)\b)/g)].map(
        ([, script, short]) => script ?? short ?? '',
      ),
    );

    expect([...new Set(named)].filter((script) => !(script in scripts))).toEqual([]);
  });
});
