import { barPlot } from '../lib/plot.mjs';
import { range, table } from '../lib/report.mjs';

export function report({ requests, rounds, tokenLatencyMs, runs }) {
  const span = (counts) =>
    Math.min(...counts) === Math.max(...counts) ? counts[0] : `${Math.min(...counts)} – ${Math.max(...counts)}`;
  const rows = runs.map(({ name, processes, tokenRequests, lost, violations, refused, ...waits }) => {
    // A variant that loses a login is not ranked by its speed.
    const ranked = (text) => (lost === 0 ? text : `(${text})`);
    return [
      name,
      processes,
      span(tokenRequests),
      lost === 0 ? '0' : `**${lost} of ${rounds}**`,
      violations,
      span(refused),
      ranked(Math.round(waits.p50.median)),
      ranked(Math.round(waits.p99.median)),
      Math.round(waits.floorP99.median),
      ranked(range(waits.overFloor, 0)),
    ];
  });
  const columns = [
    'processes',
    'token requests',
    'logins lost',
    'bad presentations',
    'requests refused',
    'p50 ms',
    'p99 ms',
    'p99 of the floor',
    'p99 over the floor',
  ];
  const bars = runs
    .filter(({ tokenRequests }) => Math.max(...tokenRequests) > 0)
    .map(({ name, processes, tokenRequests }) => ({
      name: `${name}, ${processes}`,
      value: Math.max(...tokenRequests),
      isOurs: name.startsWith('this package'),
    }));
  return {
    text: table([[`${requests} requests, token endpoint ${tokenLatencyMs} ms`, ...columns], ...rows]),
    plots: { herd: barPlot(`Token requests for ${requests} requests on one stale grant`, bars) },
  };
}
