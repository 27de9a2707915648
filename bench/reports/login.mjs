import { barPlot } from '../lib/plot.mjs';
import { range, table } from '../lib/report.mjs';

export function report({ roundTripMs, variants }) {
  const cells = ({ ms, requests, connections }) => [range(ms, 0), requests.length, connections];
  const rows = Object.entries(variants).map(([name, { first, next }]) => [
    name,
    ...cells(first),
    ...cells(next),
    next.requests.map((request) => `\`${request}\``).join('<br>'),
  ]);
  const of = (which) => [`${which} login, ms`, 'requests', 'new connections'];
  const bars = Object.entries(variants).map(([name, { next }]) => ({
    name,
    value: next.ms.median,
    low: next.ms.min,
    high: next.ms.max,
    isOurs: name.startsWith('this package'),
  }));
  return {
    text: table([
      [`round trip ${roundTripMs} ms`, ...of('first'), ...of('next'), 'requests of the next login'],
      ...rows,
    ]),
    plots: { login: barPlot(`ms from callback to redirect, round trip ${roundTripMs} ms, connections open`, bars) },
  };
}
