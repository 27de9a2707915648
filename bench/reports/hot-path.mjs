import { barPlot } from '../lib/plot.mjs';
import { range, table } from '../lib/report.mjs';

export function report({ variants, ratios, setCookieBytes, allocatedBytes }) {
  const rows = Object.entries(variants).map(([name, { total, overExpress, overSession }]) => [
    name,
    range(total),
    overExpress ? range(overExpress) : '',
    overSession ? range(overSession) : '',
    allocatedBytes[name],
    setCookieBytes[name] || '',
  ]);
  const head = [
    'µs of CPU per request',
    'in all',
    'over Express',
    'over Express and its sessions',
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
    text: `${table([head, ...rows])}\n\n${table([['ratio of what is added', 'without express-session', 'with it'], ...ratioRows])}`,
    plots: { 'hot-path': barPlot('µs of server CPU per request: median and its confidence interval', bars) },
  };
}
