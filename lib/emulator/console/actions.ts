import type { FaultKind, FaultOperation } from '../faults/types';
import type { Provider } from '../provider';

/** Faults of the console, by name. */
export const faultKinds: Readonly<Record<string, FaultKind & { when?: 'after' }>> = {
  'slow: 3 seconds': { kind: 'delay', delayMs: 3000 },
  '503, Retry-After: 5': { kind: 'status', status: 503, retryAfterSeconds: 5 },
  '429, Retry-After: 5': { kind: 'status', status: 429, retryAfterSeconds: 5 },
  '500, a server error': { kind: 'status', status: 500 },
  'dropped connection': { kind: 'drop' },
  'answer lost after the operation': { kind: 'drop', when: 'after' },
  'a web page': { kind: 'html' },
  'an empty reply': { kind: 'empty' },
  'half a reply': { kind: 'truncated' },
};

/** Requests that a fault of the console can hit. */
export const faultOperations: readonly FaultOperation[] = [
  'refresh',
  'code',
  'data',
  'identity',
  'userinfo',
  'introspect',
  'revoke',
  'authorize',
  'hosted-api',
];

/** Steps of the clock, in seconds. */
export const clockSteps: Readonly<Record<string, number>> = { '1 minute': 60, '1 hour': 3600, '1 day': 86_400 };

type Action = (provider: Provider, form: URLSearchParams) => void;

/** Actions of the console's forms, by the last part of their path. A value that no form offers does nothing. */
export const actions: Readonly<Record<string, Action>> = {
  expire: ({ grants }, form) => {
    grants.expireAccessTokens(filterOf(form));
  },
  revoke: ({ grants }, form) => {
    grants.revokeAll(filterOf(form));
  },
  clock: ({ clock }, form) => {
    const seconds = offered(clockSteps, form.get('step'));
    if (seconds !== undefined) clock.advanceSeconds(seconds);
    else if (form.get('step') === 'freeze') clock.freeze();
    else if (form.get('step') === 'unfreeze') clock.unfreeze();
  },
  fault: ({ faults }, form) => {
    const kind = offered(faultKinds, form.get('kind'));
    const on = faultOperations.find((operation) => operation === form.get('on'));
    if (kind && on) faults.inject({ ...kind, on, times: form.get('repeat') === 'yes' ? Infinity : 1 });
  },
  clear: ({ faults }) => {
    faults.clear();
  },
  rotate: ({ clients }, form) => {
    const client = clients.find(form.get('client'));
    if (client && !client.policy.locked)
      clients.setPolicy(client.clientID, { rotateRefreshTokens: !client.policy.rotateRefreshTokens });
  },
};

/** The value that a form offers under this name. Names that every object inherits are no names of a form. */
function offered<T>(values: Readonly<Record<string, T>>, name: string | null): T | undefined {
  return name !== null && Object.hasOwn(values, name) ? values[name] : undefined;
}

function filterOf(form: URLSearchParams): { username?: string } {
  const username = form.get('username') ?? '';
  return username === '' ? {} : { username };
}
