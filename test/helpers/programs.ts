/**
 * Tests that drive programs of this machine. `tools/test/setup.mjs` looks for the programs. Tests whose program is missing are
 * skipped, and their title says so: `tools/test/reporter.mjs` counts them by it.
 */

const variables = {
  Chromium: ['CHROMIUM_PATH'],
  Redis: ['REDIS_SERVER_PATH', 'REDIS_URL'],
  Valkey: ['VALKEY_SERVER_PATH'],
  PgBouncer: ['PGBOUNCER_PATH'],
  nginx: ['NGINX_PATH'],
  SQLite: ['SQLITE_NODE_PATH'],
};

export type ProgramName = keyof typeof variables;

const names = Object.keys(variables) as ProgramName[];

export function has(program: ProgramName): boolean {
  return variables[program].some((name) => process.env[name]);
}

/** `describe`, and its `each`, of tests that need these programs. */
export function describeWith(...programs: ProgramName[]): Pick<jest.Describe, 'each'> & jest.Describe['skip'] {
  const missing = programs.find((program) => !has(program));
  return missing === undefined ? describe : describeWithout(missing);
}

const { getBuiltinModule } = process as { getBuiltinModule?: (name: string) => unknown };

/** `describe` of tests that use SQLite in their own process. The pass `newest-node` runs their file on a Node.js that has it. */
export const describeWithOwnSqlite = getBuiltinModule?.call(process, 'node:sqlite')
  ? describe
  : describeWithout('SQLite');

function describeWithout(missing: ProgramName): Pick<jest.Describe, 'each'> & jest.Describe['skip'] {
  const titled = (title: unknown): string => `${String(title)} [without ${missing}]`;
  const skipped = (title: unknown, body: () => void): void => {
    describe.skip(titled(title), body);
  };
  const each = (table: readonly unknown[]) => (title: string, body: (...row: unknown[]) => void) => {
    describe.skip.each(table)(titled(title), body);
  };
  return Object.assign(skipped, { each }) as never;
}

/**
 * `describe.each` over rows that name what they need, as in `Redis by ioredis` or `['connect-redis', 5]`. Each `%` and its
 * letter in the title stand for one value.
 */
export function describeEachOn<Row extends string | readonly (string | number)[]>(rows: readonly Row[]) {
  return (title: string, body: (...row: Row extends string ? [Row] : Row) => void): void => {
    for (const row of rows) {
      const values = [row].flat() as (string | number)[];
      const needed = names.filter((name) => values.join().toLowerCase().includes(name.toLowerCase()));
      const full = values.reduce<string>((text, value) => text.replace(/%\w/, String(value)), title);
      describeWith(...needed)(full, () => body(...(values as never)));
    }
  };
}
