import { range, table } from '../lib/report.mjs';

export function report({ stores, operations }) {
  const rows = Object.entries(stores).flatMap(([store, { sizes }]) =>
    sizes.map(({ grants, bytesPerGrant, lookUpUs, timesOne, sweepMs }) => [
      store,
      grants.toLocaleString('en'),
      bytesPerGrant ?? '',
      range(lookUpUs),
      grants === 1 ? '' : range(timesOne, 2),
      sweepMs ?? '',
    ]),
  );
  const counted = Object.entries(operations).map(([store, { warm, cold, refresh }]) => [store, warm, cold, refresh]);
  const starts = Object.entries(stores).map(([store, { startMs }]) => `${store} ${startMs} ms`);
  return {
    text: [
      table([
        [
          'store',
          'grants',
          'bytes per grant',
          'µs per read, eight at once',
          'times that with one grant',
          'ms per sweep',
        ],
        ...rows,
      ]),
      table([['commands or statements', 'warm request', 'cold request', 'refresh'], ...counted]),
      `Start of a process with its store, before the first grant: ${starts.join(', ')}.`,
    ].join('\n\n'),
  };
}
