import { systemClock, type CancelTimer } from '../../clock';
import { quietly } from '../listeners';

/** What is used of a `Pool` of the package `pg` to listen. */
export interface ListeningPool {
  connect(): Promise<ListeningClient>;
}

/** What is used of its client. */
export interface ListeningClient {
  query(text: string): Promise<unknown>;
  on(event: 'notification', listener: (news: { channel: string; payload?: string | undefined }) => void): unknown;
  on(event: 'error' | 'end', listener: () => void): unknown;
  release(destroy: boolean): void;
}

/** Pause before another connection is asked for. */
const tryAgainMs = 2_000;

/**
 * Listens on a connection of its own until the function it returns is called. If the connection is lost, it listens on another
 * one. There is one warning for each loss.
 */
export function subscribe({
  pool,
  channel,
  tell,
  warn,
}: {
  pool: ListeningPool;
  channel: string;
  tell: (payload: string) => void;
  warn: (message: string) => void;
}): () => void {
  let isOver = false;
  let isWarned = false;
  let cancel: CancelTimer = () => undefined;
  let giveBack: () => void = () => undefined;
  const open = async (): Promise<void> => {
    let isLost = false;
    const lost = (): void => {
      if (isLost) return;
      isLost = true;
      giveBack();
      if (isOver) return;
      if (!isWarned)
        warn('PostgreSQL does not tell of changed grants for now; processes look for themselves, a little later.');
      isWarned = true;
      // At a random moment, since the server may have closed the connections of many processes at once.
      cancel = systemClock.setTimer(tryAgainMs * (0.5 + Math.random()), () => void open());
    };
    try {
      const client = (await pool.connect()) as Partial<ListeningClient> | undefined;
      if (!isPooled(client)) {
        quietly(() => client?.release?.(true));
        warn(
          'The option notify listens only with a pool whose connect() gives a client with release(); give a Pool of pg.',
        );
        return;
      }
      giveBack = () => {
        giveBack = () => undefined;
        // This connection listens, so it does not go back to the pool.
        quietly(() => client.release(true));
      };
      if (isOver) {
        giveBack();
        return;
      }
      client.on('error', lost);
      client.on('end', lost);
      client.on('notification', ({ channel: from, payload }) => {
        if (!isOver && from === channel && payload !== undefined) tell(payload);
      });
      await client.query(`listen "${channel}"`);
      isWarned = false;
    } catch {
      lost();
    }
  };
  void open();
  return () => {
    isOver = true;
    cancel();
    giveBack();
  };
}

/** A single client, or the pool of a library that is not like pg, gives something else. */
function isPooled(client: Partial<ListeningClient> | undefined): client is ListeningClient {
  return typeof client?.release === 'function' && typeof client.on === 'function' && typeof client.query === 'function';
}
