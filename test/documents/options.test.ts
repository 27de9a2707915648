import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as calls from '../../lib/options/parts/calls';
import { clientOptions } from '../../lib/options/parts/client';
import { staticOptions } from '../../lib/options/parts/middleware';
import { keepAliveOptions, refreshOptions } from '../../lib/options/parts/refresh';
import * as stores from '../../lib/options/parts/stores';
import { authenticateOptions, strategyOptions } from '../../lib/options/parts/strategy';
import type { OptionSpec, Part } from '../../lib/options/spec';
import { documents, read, root } from './blocks';

/*
 * The tables of options say what lib/options/parts says. UPDATE_OPTION_DOCS=1 writes them anew:
 *
 *   UPDATE_OPTION_DOCS=1 npx jest test/documents/options.test.ts
 */

const { login_hint, state, ...loginRequestOptions } = authenticateOptions;

/** The part of each set of options, by the name of its type. */
const parts: Readonly<Record<string, Part>> = {
  AppOptions: calls.appOptions,
  AuthenticateOptions: { login_hint, state },
  ClientOptions: clientOptions,
  CredentialsLoginOptions: calls.credentialsLoginOptions,
  KeepAliveOptions: keepAliveOptions,
  LoginOptions: calls.loginOptions,
  LoginRequestOptions: loginRequestOptions,
  LogoutOptions: calls.logoutOptions,
  MemoryTokenStoreOptions: stores.memoryStoreOptions,
  PostgresTokenStoreOptions: stores.postgresStoreOptions,
  RedisTokenStoreOptions: stores.redisStoreOptions,
  RefreshOptions: refreshOptions,
  RequireOptions: calls.requireOptions,
  SingleLogoutOptions: calls.singleLogoutOptions,
  SqliteTokenStoreOptions: stores.sqliteStoreOptions,
  StaticOptions: staticOptions,
  StrategyOnlyOptions: strategyOptions,
};

const tables = /<!-- lists (\w+) in (\S+) -->\s+(?:\|.*\n)+/g;

function tableOf(part: Part, document: string): string {
  const options = Object.entries<OptionSpec>(part);
  const hasWire = options.some(([, { wire }]) => wire !== undefined);
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const head = ['Option', 'Values', 'Default', ...(hasWire ? ['On the wire'] : []), 'What it does'];
  return [
    row(head),
    row(head.map(() => '---')),
    ...options.map(([name, { values, default: fallback, wire, text }]) =>
      row(
        [`\`${name}\``, values, fallback, ...(hasWire ? [wire ?? '–'] : []), text].map((cell) => from(document, cell)),
      ),
    ),
  ].join('');
}

/** Links are written as docs/reference/options.md needs them, or lead to a heading beside the table. */
function from(document: string, cell: string): string {
  return document.startsWith('docs/guide/') ? cell.replaceAll('](../guide/', '](') : cell;
}

describe('the tables of options', () => {
  const found = documents
    .filter((document) => document !== 'CHANGELOG.md')
    .map((document) => ({ document, text: read(document) }));

  it('are there for every part', () => {
    const names = found.flatMap(({ text }) => [...text.matchAll(tables)].map(([, name = '']) => name));

    expect(Object.keys(parts).filter((name) => !names.includes(name))).toEqual([]);
  });

  it('say what the options room says', () => {
    for (const { document, text } of found) {
      const written = text.replace(tables, (whole, name: string, file: string) => {
        const part = parts[name];
        return part ? `<!-- lists ${name} in ${file} -->\n\n${tableOf(part, document)}` : whole;
      });
      if (process.env['UPDATE_OPTION_DOCS'] === '1') writeFileSync(join(root, document), written);
      expect(read(document)).toBe(written);
    }
  });
});
