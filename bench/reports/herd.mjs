import { barPlot } from '../lib/plot.mjs';
import { table } from '../lib/report.mjs';

export function report({ requests, rounds, tokenLatencyMs, runs }) {
  const rows = runs.map(({ name, processes, tokenRequests, lost, violations, refused, p50, p99 }) => [
    name,
    processes,
    tokenRequests.join(', '),
    lost === 0 ? '0' : `**${lost} of ${rounds}**`,
    violations,
    refused.join(', '),
    // A variant that loses a login is not ranked by its speed.
    lost === 0 ? p50.median : `(${p50.median})`,
    lost === 0 ? `${p99.median} (${p99.min} – ${p99.max})` : `(${p99.median})`,
  ]);
  const columns = [
    'processes',
    'token requests',
    'logins lost',
    'bad presentations',
    'requests refused',
    'p50 ms',
    'p99 ms',
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
