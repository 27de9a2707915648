import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import type { Reply } from '../../lib/emulator/http/reply';
import { replyBody } from './provider';
import type { Process } from './process';
import type { World } from './world';

/** Whose code is running: the global `fetch` does not say who called it. */
export const running = new AsyncLocalStorage<Process>();

/** What can happen to one token request. */
export type NetworkFault =
  /** No connection. */
  | 'refused'
  /** The connection breaks before, or after, Salesforce worked on the request. */
  | 'drop-before'
  | 'drop-after'
  /** Nothing comes back until the sender gives up. */
  | 'hang-before'
  | 'hang-after'
  /** Salesforce takes its time. */
  | 'slow-before'
  | 'slow-after'
  | 'status-500-before'
  | 'status-500-after'
  | 'status-503'
  | 'status-429'
  | 'garbage-after'
  | 'empty-after'
  | 'truncated-after'
  /** Salesforce refuses with a text that nobody knows; the refresh token is good. */
  | 'unknown-refusal'
  /** The host is gone: its name does not resolve, it redirects, or it has no such page. */
  | 'gone-name'
  | 'gone-redirect'
  | 'gone-page';

/** What can happen to one question about a refresh token. */
export type IntrospectionFault = 'drop' | 'status-500' | 'page' | 'hang';

export const introspectionFaults: readonly IntrospectionFault[] = ['drop', 'status-500', 'page', 'hang'];

export const networkFaults: readonly NetworkFault[] = [
  'refused',
  'drop-before',
  'drop-after',
  'hang-before',
  'hang-after',
  'slow-before',
  'slow-after',
  'status-500-before',
  'status-500-after',
  'status-503',
  'status-429',
  'garbage-after',
  'empty-after',
  'truncated-after',
  'unknown-refusal',
  'gone-name',
  'gone-redirect',
  'gone-page',
];

/** What comes of a request to an identity endpoint while Salesforce is in trouble. */
export interface Trouble {
  /** No connection, with this error. */
  code?: string;
  /** Salesforce works on the request, and its answer is lost. */
  isCarriedOut?: boolean;
  /** What is answered instead. Without it, and unless the connection is dropped, nothing is. */
  reply?: Reply;
  isDropped?: boolean;
}

const page = (status: number, headers = {}): Trouble => ({
  reply: { status, headers, text: '<html><body>Sorry</body></html>', contentType: 'text/html' },
});

const troubles: Readonly<Partial<Record<NetworkFault, Trouble>>> = {
  'unknown-refusal': {
    reply: {
      status: 400,
      headers: {},
      json: { error: 'invalid_grant', error_description: 'the planets are not aligned' },
    },
  },
  'gone-name': { code: 'ENOTFOUND' },
  'gone-redirect': page(301, { location: 'https://elsewhere.example/' }),
  'gone-page': page(404),
};

const questions: Readonly<Record<IntrospectionFault, Trouble>> = {
  drop: { isDropped: true },
  'status-500': page(500),
  page: page(200),
  hang: {},
};

/** How long a request, or a reply, is on its way. */
const wayMs = 5;
/** Less than `drainMs`, the longest Salesforce may work on a request whose sender is gone. */
const slowMs = 4_000;

/** `fetch`, to the emulator in this process, in virtual time. */
export function networkOf(world: World): typeof fetch {
  return async (input, init = {}) => {
    const process = running.getStore();
    if (!process) throw new Error('A request came from no process.');
    const url = new URL(input instanceof Request ? input.url : input);
    const body = init.body instanceof URLSearchParams || typeof init.body === 'string' ? String(init.body) : '';
    const form = new URLSearchParams(body);
    const fault = form.get('grant_type') === 'refresh_token' ? world.takeFault() : undefined;
    const isQuestion = url.pathname.endsWith('/introspect');
    const asked = isQuestion ? world.takeIntrospectionFault() : undefined;
    const trouble = troubles[fault as keyof typeof troubles] ?? (asked && questions[asked]);
    const strange =
      trouble ?? (form.has('token') || form.has('refresh_token') ? world.trouble?.(url, form) : undefined);
    let isGivenUp = false;
    return new Promise<Response>((resolve, reject) => {
      const fail = (code: string): void =>
        process.deliver(() => {
          const cause = Object.assign(new Error(code), { code });
          reject(new TypeError('fetch failed', { cause }));
        });
      init.signal?.addEventListener('abort', () => {
        isGivenUp = true;
        reject(new DOMException('This operation was aborted', 'AbortError'));
      });
      if (!process.isAlive) return;
      if (strange?.code !== undefined) {
        fail(strange.code);
        return;
      }
      if (fault === 'refused') {
        fail('ECONNREFUSED');
        return;
      }
      if (isHeldBack(new Headers(init.headers), init.signal)) {
        reject(new TypeError('fetch failed', { cause: new Error('The request was held back.') }));
        return;
      }
      world.after(wayMs, () => {
        if (fault === 'drop-before') fail('UND_ERR_SOCKET');
        if (fault === 'drop-before' || fault === 'hang-before') return;
        if (strange && !strange.isCarriedOut) {
          if (strange.reply) world.after(wayMs, () => process.deliver(() => resolve(responseOf(strange.reply!))));
          else if (strange.isDropped === true) fail('UND_ERR_SOCKET');
          return;
        }
        void carryOut(
          world,
          { method: init.method ?? 'GET', url, headers: new Headers(init.headers), body },
          fault,
        ).then((reply) => {
          const arrives = (!fault?.endsWith('-after') || fault === 'slow-after') && !strange;
          const grant = world.salesforce.note(form, reply.original);
          if (grant) world.carries(process, grant);
          // Nobody but the sender could have known these tokens.
          if (grant && (!arrives || !process.isAlive || isGivenUp)) world.lose(grant, fault ?? 'kill');
          world.after(wayMs, () => {
            if (strange) {
              if (strange.reply) process.deliver(() => resolve(responseOf(strange.reply!)));
              else if (strange.isDropped === true) fail('UND_ERR_SOCKET');
            } else if (reply.sent.transmission?.how === 'drop') fail('UND_ERR_SOCKET');
            else if (fault !== 'hang-after') {
              process.deliver(() => {
                if (grant && isGivenUp) world.lose(grant, 'timeout');
                resolve(responseOf(reply.sent));
              });
            }
          });
        });
      });
    });
  };
}

/** Announces a request as Node's own `fetch` does; its guard may abort it before it is sent. */
function isHeldBack(headers: Headers, signal: AbortSignal | null | undefined): boolean {
  const request = { headers: [...headers].flat() };
  channel('undici:client:sendHeaders').publish({ request });
  return signal?.aborted ?? false;
}

/** Has the emulator work on a request, under the emulator's own faults. */
async function carryOut(
  { salesforce, after }: World,
  { method, url, headers, body }: { method: string; url: URL; headers: Headers; body: string },
  fault: NetworkFault | undefined,
): Promise<{ sent: Reply; original: Reply }> {
  const { faults } = salesforce.provider;
  let original: Reply | undefined;
  const on = 'refresh';
  switch (fault) {
    case 'slow-before':
    case 'slow-after': {
      const held = faults.inject({ on, kind: 'hold', when: fault === 'slow-before' ? 'before' : 'after' });
      void held.reached.then(() => after(slowMs, () => held.release()));
      break;
    }
    case 'status-500-before':
      faults.inject({ on, kind: 'status', status: 500 });
      break;
    case 'status-503':
      faults.inject({ on, kind: 'status', status: 503 });
      break;
    case 'status-429':
      faults.inject({ on, kind: 'status', status: 429, retryAfterSeconds: 20 });
      break;
    case 'drop-after':
    case 'status-500-after':
    case 'garbage-after':
    case 'empty-after':
    case 'truncated-after': {
      // First a look at what Salesforce would have answered, then the answer that is sent instead.
      const reply = await salesforce.answer(method, url, headers, body);
      if (reply.status !== 200) return { sent: reply, original: reply };
      original = reply;
      return { sent: spoilt(fault, reply), original };
    }
  }
  const reply = await salesforce.answer(method, url, headers, body);
  return { sent: reply, original: reply };
}

function spoilt(fault: NetworkFault, reply: Reply): Reply {
  const whole = replyBody(reply);
  switch (fault) {
    case 'drop-after':
      return { ...reply, transmission: { how: 'drop' } };
    case 'status-500-after':
      return {
        status: 500,
        headers: {},
        text: '<html><body>Internal Server Error</body></html>',
        contentType: 'text/html',
      };
    case 'garbage-after':
      return { status: 200, headers: {}, text: '<html><body>Maintenance</body></html>', contentType: 'text/html' };
    case 'empty-after':
      return { status: 200, headers: {}, text: '' };
    default:
      return { status: 200, headers: {}, bytes: whole.subarray(0, whole.length / 2), contentType: 'application/json' };
  }
}

function responseOf(reply: Reply): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(reply.headers)) headers.set(name, String(value));
  headers.set('content-type', reply.contentType ?? (reply.json === undefined ? 'text/plain' : 'application/json'));
  return new Response(reply.status === 204 ? null : new Uint8Array(replyBody(reply)), {
    status: reply.status,
    headers,
  });
}
