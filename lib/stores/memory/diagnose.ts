import type { StoreCircumstances, StoreFinding } from '../store';

/** What the memory store loses at a restart or with several processes. */
export async function diagnoseMemory({ processes = 1, rotation = false }: StoreCircumstances): Promise<StoreFinding> {
  // Loaded now, because it brings more of Node.js with it than a process may need.
  const { default: cluster } = await import('node:cluster');
  const isOneOfMany = processes > 1 || cluster.isWorker;
  const rotated = rotation ? ' With refresh token rotation, one process spends what another one holds.' : '';
  return {
    check: 'memory',
    level: isOneOfMany ? 'error' : 'warning',
    message: isOneOfMany
      ? `Tokens are kept in the memory of each process, and other processes do not find them.${rotated}`
      : 'Tokens are kept in the memory of this process: a restart logs everybody out.',
    fix: 'In production, use RedisTokenStore or PostgresTokenStore.',
  };
}
