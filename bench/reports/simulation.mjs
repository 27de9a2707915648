import { linePlot, smooth } from '../lib/plot.mjs';
import { table } from '../lib/report.mjs';

export function report({ grants, processes, usesPerMinute, grantsInAll, scenarios }) {
  const rows = Object.entries(scenarios).map(([name, { refreshesPerSecond, storeOperationsPerSecond, failed }]) => [
    name,
    ...[refreshesPerSecond, storeOperationsPerSecond].flatMap(({ mean, p95, max }) => [mean, p95, max]),
    failed,
  ]);
  const of = (what) => [`${what} a second, mean`, 'p95 minute', 'worst minute'];
  const series = Object.entries(scenarios).map(([name, { refreshes }]) => ({ name, values: smooth(refreshes) }));
  const text = [
    table([['scenario', ...of('refreshes'), ...of('store operations'), 'uses that failed, in the sample'], ...rows]),
    `A sample of ${grants.toLocaleString('en')} grants on ${processes} processes, each used ${usesPerMinute} times a minute, scaled to ${grantsInAll.toLocaleString('en')} grants.`,
  ].join('\n\n');
  return {
    text,
    plots: { simulation: linePlot('Refreshes a second for 10 million grants, mean of five minutes', series) },
    sections: { 'simulation-scaling': text },
  };
}
