import { barPlot } from '../lib/plot.mjs';
import { range, table } from '../lib/report.mjs';

export function report({ express, variants, ratios }) {
  const rows = Object.entries(variants).map(([name, figures]) => {
    const { total, overExpress, overSession, collection, allocatedBytes, setCookieBytes } = figures;
    return [
      name,
      range(total),
      range(overExpress),
      overSession ? range(overSession) : '',
      collection.median.toFixed(1),
      allocatedBytes,
      setCookieBytes || '',
    ];
  });
  const head = [
    'µs of CPU per request',
    'in all',
    'over Express',
    'over Express and its sessions',
    'µs of garbage collection',
    'bytes allocated',
    'Set-Cookie bytes',
  ];
  const ratioRows = Object.entries(ratios).map(([name, { added, withSession }]) => [
    name,
    range(added, 3),
    range(withSession, 3),
  ]);
  const bars = Object.entries(variants).map(([name, { total }]) => ({
    name,
    value: total.median,
    low: total.low,
    high: total.high,
    isOurs: name.startsWith('this package'),
  }));
  return {
    text: [
      table([head, ['Express', range(express), '', '', '', '', ''], ...rows]),
      table([['ratio of what is added', 'without express-session', 'with it'], ...ratioRows]),
    ].join('\n\n'),
    plots: { 'hot-path': barPlot('µs of server CPU per request: median and its confidence interval', bars) },
  };
}
