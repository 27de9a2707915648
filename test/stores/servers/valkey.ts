import type { RunningServer } from './programs';
import { startServerOf } from './redis';

const missing =
  'These tests need a real Valkey. Install valkey-server (Debian: apt-get install valkey-server; macOS: brew install valkey).';

/** A `valkey-server` from PATH, with further settings as on its command line. */
export function startValkeyServer(...settings: string[]): Promise<RunningServer & { port: number }> {
  return startServerOf({ command: process.env['VALKEY_SERVER_PATH'] ?? 'valkey-server', missing }, settings);
}
