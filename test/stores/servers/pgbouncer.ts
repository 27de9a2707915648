import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { onFreePort, startProgram, stopProgram, temporaryFolder, type RunningServer } from './programs';

const missing =
  'There is no PgBouncer: install the package pgbouncer, or set PGBOUNCER_PATH to the program. npm test does it on Debian as root.';

/** A PgBouncer in transaction mode before a PostgreSQL, as it would be set up in production. */
export function startPgBouncer(postgresUrl: string): Promise<RunningServer> {
  return onFreePort((own) => startAt(own, postgresUrl));
}

async function startAt(own: number, postgresUrl: string): Promise<RunningServer> {
  const { hostname, port, username, password, pathname } = new URL(postgresUrl);
  const folder = temporaryFolder();
  try {
    const settings = join(folder.path, 'pgbouncer.ini');
    const users = join(folder.path, 'users.txt');
    writeFileSync(users, `"${username}" "${password}"\n`);
    writeFileSync(
      settings,
      [
        '[databases]',
        `* = host=${hostname} port=${port}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${own}`,
        'unix_socket_dir =',
        'auth_type = plain',
        `auth_file = ${users}`,
        'pool_mode = transaction',
        // Far fewer than clients, so that they really share connections.
        'default_pool_size = 3',
        'max_client_conn = 500',
        'ignore_startup_parameters = extra_float_digits',
      ].join('\n'),
    );
    const account = unprivileged();
    if (account) {
      chmodSync(folder.path, 0o711);
      for (const file of [settings, users]) chownSync(file, account.uid, account.gid);
    }
    const { program } = await startProgram(process.env['PGBOUNCER_PATH'] ?? 'pgbouncer', [settings], {
      ready: /process up/,
      missing,
      ...(account ? { account } : {}),
    });
    return {
      url: `postgres://${username}:${password}@127.0.0.1:${own}${pathname}`,
      stop: async () => {
        await stopProgram(program, 'SIGKILL');
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

/** PgBouncer refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (kind: string): number => Number(execFileSync('id', [kind, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
