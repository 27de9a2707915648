import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppOptions } from '../../lib/app/app-options';
import type { EmulatorOptions } from '../../lib/emulator';
import type { ClientPolicy } from '../../lib/emulator/policy';
import type { LoginRequestOptions } from '../../lib/login/request';
import type { ClientKey } from '../../lib/client-authentication/client-key';
import type { AdoptOptions, SessionAdoptionOptions } from '../../lib/middleware/adoption';
import type { CredentialsLoginOptions } from '../../lib/middleware/credentials-login';
import type { LoginOptions } from '../../lib/middleware/login-route';
import type { LogoutOptions, SingleLogoutOptions } from '../../lib/middleware/logout';
import type { GrantOptions, PageOptions, Routes, SessionOptions, StaticOptions } from '../../lib/middleware/options';
import type { RequireOptions } from '../../lib/middleware/require';
import type { ClientLoginOptions, ClientOptions } from '../../lib/options/configuration';
import type { KeepAliveOptions } from '../../lib/options/keep-alive';
import type { RefreshOptions } from '../../lib/options/refresh';
import type { MemoryTokenStoreOptions } from '../../lib/stores/memory/options';
import type { PostgresTokenStoreOptions } from '../../lib/stores/postgres/options';
import type { WaitReplicas } from '../../lib/stores/redis/client';
import type { RedisTokenStoreOptions } from '../../lib/stores/redis/options';
import type { SqliteTokenStoreOptions } from '../../lib/stores/sqlite/options';
import type { AuthenticateOptions, StrategyOnlyOptions } from '../../lib/strategy/options';
import * as calls from '../../lib/options/parts/calls';
import { clientKeyOptions, clientLoginOptions, clientOptions } from '../../lib/options/parts/client';
import {
  grantOptions,
  pageOptions,
  routeOptions,
  sessionOptions,
  staticOptions,
  tenantOptions,
} from '../../lib/options/parts/middleware';
import { emulatorOptions, policyOptions } from '../../lib/options/parts/emulator';
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
const { grantId, add } = calls.sessionAdoptionOptions;

/** The part of each set of options, by the name of its type. The compiler refuses a part that lacks an option of the type. */
const parts: Readonly<Record<string, Part>> = {
  AdoptOptions: calls.adoptOptions satisfies Record<keyof AdoptOptions, OptionSpec>,
  AppOptions: calls.appOptions satisfies Record<keyof AppOptions, OptionSpec>,
  AuthenticateOptions: { login_hint, state } satisfies Record<
    Exclude<keyof AuthenticateOptions, keyof LoginRequestOptions>,
    OptionSpec
  >,
  ClientKey: clientKeyOptions satisfies Record<keyof ClientKey, OptionSpec>,
  ClientLoginOptions: clientLoginOptions satisfies Record<keyof ClientLoginOptions, OptionSpec>,
  ClientOptions: clientOptions satisfies Record<keyof ClientOptions, OptionSpec>,
  CredentialsLoginOptions: calls.credentialsLoginOptions satisfies Record<keyof CredentialsLoginOptions, OptionSpec>,
  ClientPolicy: policyOptions satisfies Record<keyof ClientPolicy, OptionSpec>,
  EmulatorOptions: emulatorOptions satisfies Record<keyof EmulatorOptions, OptionSpec>,
  GrantOptions: grantOptions satisfies Record<keyof GrantOptions, OptionSpec>,
  KeepAliveOptions: keepAliveOptions satisfies Record<keyof KeepAliveOptions, OptionSpec>,
  LoginOptions: calls.loginOptions satisfies Record<keyof LoginOptions, OptionSpec>,
  LoginRequestOptions: loginRequestOptions satisfies Record<keyof LoginRequestOptions, OptionSpec>,
  LogoutOptions: calls.logoutOptions satisfies Record<keyof LogoutOptions, OptionSpec>,
  MemoryTokenStoreOptions: stores.memoryStoreOptions satisfies Record<keyof MemoryTokenStoreOptions, OptionSpec>,
  PageOptions: pageOptions satisfies Record<keyof PageOptions, OptionSpec>,
  PostgresTokenStoreOptions: stores.postgresStoreOptions satisfies Record<keyof PostgresTokenStoreOptions, OptionSpec>,
  RedisTokenStoreOptions: stores.redisStoreOptions satisfies Record<keyof RedisTokenStoreOptions, OptionSpec>,
  RefreshOptions: refreshOptions satisfies Record<keyof RefreshOptions, OptionSpec>,
  RequireOptions: calls.requireOptions satisfies Record<keyof RequireOptions, OptionSpec>,
  Routes: routeOptions satisfies Record<keyof Routes, OptionSpec>,
  SessionAdoptionOptions: { grantId, add } satisfies Record<keyof SessionAdoptionOptions, OptionSpec>,
  SessionOptions: sessionOptions satisfies Record<keyof SessionOptions, OptionSpec>,
  SingleLogoutOptions: calls.singleLogoutOptions satisfies Record<keyof SingleLogoutOptions, OptionSpec>,
  SqliteTokenStoreOptions: stores.sqliteStoreOptions satisfies Record<keyof SqliteTokenStoreOptions, OptionSpec>,
  StaticOptions: staticOptions satisfies Record<keyof StaticOptions, OptionSpec>,
  StrategyOnlyOptions: strategyOptions satisfies Record<keyof StrategyOnlyOptions, OptionSpec>,
  WaitReplicas: stores.waitReplicasOptions satisfies Record<keyof WaitReplicas, OptionSpec>,
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

describe('the list of the top level', () => {
  const top = { ...clientOptions, ...tenantOptions, ...staticOptions };

  it('has at most 32 options', () => {
    expect(Object.keys(top).length).toBeLessThanOrEqual(32);
  });

  it('gives the reason of each, once', () => {
    const list = /<!-- the top level -->\s+((?:\|.*\n)+)/.exec(read('docs/reference/options.md'))?.[1] ?? '';
    const names = [...list.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell = '']) => cell.match(/(?<=`)\w+(?=`)/g) ?? []);

    expect(names.toSorted()).toEqual(Object.keys(top).sort());
  });
});

describe('the tables of options', () => {
  const found = documents
    .filter((document) => document !== 'CHANGELOG.md')
    .map((document) => ({ document, text: read(document) }));

  it('are there for every part', () => {
    const names = found.flatMap(({ text }) => [...text.matchAll(tables)].map(([, name = '']) => name));

    expect(Object.keys(parts).filter((name) => !names.includes(name))).toEqual([]);
  });

  it('are there for every group of options', () => {
    const inside = (part: Part): Part[] =>
      Object.values(part).flatMap(({ options }) => (options ? [options, ...inside(options)] : []));
    const all = [...Object.values(parts), tenantOptions].flatMap(inside);

    expect(all.length).toBeGreaterThan(4);
    expect(all.filter((group) => !Object.values(parts).includes(group))).toEqual([]);
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
