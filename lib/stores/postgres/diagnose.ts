import type { StoreFinding } from '../store';

/** Runs one statement. */
type Query = (text: string, values: unknown[]) => Promise<{ rows: unknown[] }>;

interface Settings {
  missing_tables: string[];
  /** Permissions that the role does not have, as `insert on salesforce_grants`. */
  missing_permissions: string[];
  role: string;
  synchronous_commit: string;
  fsync: string;
  is_standby: boolean;
}

/** Missing tables and permissions, a standby, and settings of PostgreSQL that lose what was committed. */
export async function diagnosePostgres(query: Query, tables: string[]): Promise<StoreFinding[]> {
  const { rows } = await query(
    `SELECT array(SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL) AS missing_tables,
       array(SELECT permission || ' on ' || name
         FROM unnest($1::text[]) AS name, unnest('{select,insert,update,delete}'::text[]) AS permission
         WHERE NOT has_table_privilege(to_regclass(name), permission)) AS missing_permissions,
       current_user AS role,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('fsync') AS fsync, pg_is_in_recovery() AS is_standby`,
    [tables],
  );
  const settings = rows[0] as Settings;
  return [
    ...settings.missing_tables.map(missing),
    ...permissions(settings),
    ...standby(settings),
    durability(settings),
  ];
}

function missing(table: string): StoreFinding {
  return {
    check: 'table',
    level: 'error',
    message: `There is no table ${table}.`,
    fix: 'Create it with the file express-salesforce-auth/stores/postgres.sql, or correct the table option.',
  };
}

function permissions({ missing_permissions: missing, role }: Settings): StoreFinding[] {
  if (missing.length === 0) return [];
  return [
    {
      check: 'permission',
      level: 'error',
      message: `The role ${role} may not ${missing.join(', ')}.`,
      fix: 'Grant it the permissions that express-salesforce-auth/stores/postgres.sql names.',
    },
  ];
}

function standby({ is_standby: isStandby }: Settings): StoreFinding[] {
  if (!isStandby) return [];
  const message = 'The pool is connected to a standby, which takes no writes.';
  return [{ check: 'standby', level: 'error', message, fix: 'Connect it to the primary.' }];
}

function durability({ synchronous_commit: commit, fsync }: Settings): StoreFinding {
  if (commit !== 'off' && fsync === 'on') {
    return { check: 'durability', level: 'ok', message: 'A token is on disk before it is used.' };
  }
  const setting = fsync === 'on' ? `synchronous_commit is ${commit}` : 'fsync is off';
  return {
    check: 'durability',
    level: 'warning',
    message: `${setting}: a crash of the server can lose a refreshed token, and with rotation its login.`,
    fix: 'Set synchronous_commit and fsync to on, for the database or the role of the application.',
  };
}
