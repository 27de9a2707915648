import { systemClock, type CancelTimer } from '../../clock';
import { quietly } from '../listeners';
import { isCluster, type IoredisClient, type NodeRedisClient } from './client';

/** How long to leave a server alone that refused a subscription, or closed its connection for good. */
const tryAgainMs = 5_000;

export interface SubscriptionOptions {
  client: NodeRedisClient | IoredisClient;
  /** True for a duplicate of `client`, else the client to listen on. */
  notify: true | NodeRedisClient | IoredisClient;
  channel: string;
  tell: (message: string) => void;
  warn: (message: string) => void;
}

/** One try to listen. Resolves once it listens. `end` is called in any case. */
interface Listening {
  begin(): Promise<void>;
  end(): void;
}

/**
 * Listens to a channel until the function it returns is called. Both client libraries connect and subscribe anew by
 * themselves. If a library gives up, a new connection is made. There is one warning for each loss.
 */
export function subscribe({ client, notify, channel, tell, warn }: SubscriptionOptions): () => void {
  let isOver = false;
  let isWarned = false;
  let current: Listening | undefined;
  let cancel: CancelTimer = () => undefined;
  const lost = (): void => {
    if (isOver || isWarned) return;
    isWarned = true;
    warn('Redis does not tell of changed grants for now; processes look for themselves, a little later.');
  };
  const open = (): void => {
    const failed = (): void => {
      if (isOver || current !== listening) return;
      lost();
      current = undefined;
      listening.end();
      cancel = systemClock.setTimer(tryAgainMs, open);
    };
    const heard = (message: string): void => {
      isWarned = false;
      if (!isOver) tell(message);
    };
    const listening = listen({ client, notify, channel }, { heard, lost, failed });
    current = listening;
    listening.begin().then(() => (isWarned = false), failed);
  };
  open();
  return () => {
    isOver = true;
    cancel();
    current?.end();
  };
}

interface Reports {
  heard: (message: string) => void;
  /** The connection is down, and the library connects again. */
  lost: () => void;
  /** It is down for good. */
  failed: () => void;
}

function listen(
  { client, notify, channel }: Pick<SubscriptionOptions, 'client' | 'notify' | 'channel'>,
  reports: Reports,
): Listening {
  const given = notify === true ? client : notify;
  // The client of a cluster has a connection of its own for subscriptions.
  const isOwn = notify === true && !isCluster(given) && !isIoredisCluster(given);
  return 'evalSha' in given
    ? listenByNodeRedis({ given: given as unknown as NodeRedisSubscriber, isOwn, channel }, reports)
    : listenByIoredis({ given: given as unknown as IoredisSubscriber, isOwn, channel }, reports);
}

interface Subscriber<Client> {
  given: Client;
  /** Whether to listen on a duplicate of it, which is closed here. */
  isOwn: boolean;
  channel: string;
}

interface NodeRedisSubscriber {
  duplicate(): NodeRedisSubscriber;
  connect(): Promise<unknown>;
  /** Since version 5. */
  destroy?(): void;
  disconnect(): unknown;
  on(event: string, listener: () => void): unknown;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  unsubscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
}

function listenByNodeRedis(
  { given, isOwn, channel }: Subscriber<NodeRedisSubscriber>,
  { heard, lost, failed }: Reports,
): Listening {
  const subscriber = isOwn ? given.duplicate() : given;
  return {
    async begin() {
      if (isOwn) {
        subscriber.on('error', lost);
        subscriber.on('end', failed);
        await subscriber.connect();
      }
      await subscriber.subscribe(channel, heard);
    },
    end() {
      if (isOwn) quietly(() => (subscriber.destroy ? subscriber.destroy() : subscriber.disconnect()));
      else quietly(() => subscriber.unsubscribe(channel, heard));
    },
  };
}

interface IoredisSubscriber {
  duplicate(override: object): IoredisSubscriber;
  disconnect(): void;
  on(event: string, listener: (...news: string[]) => void): unknown;
  off(event: string, listener: (...news: string[]) => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
}

function listenByIoredis(
  { given, isOwn, channel }: Subscriber<IoredisSubscriber>,
  { heard, lost, failed }: Reports,
): Listening {
  // This connection may wait longer for its server than the commands of the application.
  const subscriber = isOwn ? given.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null }) : given;
  const onMessage = (from?: string, message?: string): void => {
    if (from === channel && message !== undefined) heard(message);
  };
  return {
    async begin() {
      subscriber.on('message', onMessage);
      if (isOwn) {
        subscriber.on('error', lost);
        subscriber.on('end', failed);
      }
      await subscriber.subscribe(channel);
    },
    end() {
      subscriber.off('message', onMessage);
      if (isOwn) subscriber.disconnect();
      else quietly(() => subscriber.unsubscribe(channel));
    },
  };
}

function isIoredisCluster(client: object): boolean {
  return typeof (client as { nodes?: unknown }).nodes === 'function';
}
