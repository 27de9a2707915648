import type { FaultInjection } from '../../lib/emulator';

type Fault = FaultInjection extends infer Each ? (Each extends unknown ? Omit<Each, 'on'> : never) : never;

/** What the host of an instance answers that an organization has left. */
export const oldHosts: { name: string; fault: (moved: string) => Fault }[] = [
  { name: 'a redirect with 301', fault: (moved) => ({ kind: 'redirect', status: 301, location: `${moved}/` }) },
  { name: 'a redirect with 302', fault: (moved) => ({ kind: 'redirect', location: `${moved}/` }) },
  { name: 'a page with 403', fault: () => ({ kind: 'status', status: 403 }) },
  { name: 'a page with 404', fault: () => ({ kind: 'status', status: 404 }) },
];
