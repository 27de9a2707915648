import { linePlot, smooth } from '../lib/plot.mjs';
import { table } from '../lib/report.mjs';

export function report({ grants, processes, usesPerMinute, grantsInAll, scenarios, outages }) {
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
  const afterOutage = reportOutages(outages, { processes, usesPerMinute, grantsInAll });
  return {
    text: `${text}\n\n${afterOutage}`,
    plots: {
      simulation: linePlot('Refreshes a second for 10 million grants, mean of five minutes', series),
      'simulation-outage': linePlot(
        'Requests a second to Salesforce around an outage of an hour, mean of five minutes',
        Object.entries(outages.kinds).map(([name, { requests }]) => ({
          name,
          values: smooth(requests.slice(outages.usualFrom)),
        })),
      ),
    },
    sections: { 'simulation-scaling': text, 'simulation-outage': afterOutage },
  };
}

function reportOutages({ grants, idleGrants, kinds }, { processes, usesPerMinute, grantsInAll }) {
  const head = [
    'Salesforce, for an hour',
    'requests a second before',
    'during',
    'after, worst five minutes',
    'times the usual',
  ];
  const rest = ['after, worst minute', 'times the usual', 'uses that failed, in the sample'];
  const rows = Object.entries(kinds).map(([name, { usual, during, worst, ratio, failed }]) => [
    ...[name, usual, during, worst.fiveMinutes, ratio.fiveMinutes, worst.minute, ratio.minute, failed],
  ]);
  const number = (value) => value.toLocaleString('en');
  return [
    table([[...head, ...rest], ...rows]),
    `A sample of ${number(grants)} grants in use on ${processes} processes, each used ${usesPerMinute} times a minute, and of ${number(idleGrants)} grants that keep-alive refreshes, scaled to ${number(grantsInAll)} grants in use. Each minute of the sample has about 200 requests, so the worst of 270 minutes is a fifth or so above the mean by chance.`,
  ].join('\n\n');
}
