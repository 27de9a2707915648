/** Small SVG plots for light and dark pages. */

const style = `<style>
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .ours { fill: #2f81f7 } .other { fill: #8b949e } .range { stroke: #d29922; stroke-width: 2 } .axis { stroke: #8b949e }
  polyline { fill: none; stroke: #2f81f7; stroke-width: 1.5 } .second { stroke: #d29922 } .third { stroke: #3fb950 }
  .fourth { stroke: #f85149 }
</style>`;

const escape = (text) => String(text).replace(/[&<>]/g, (found) => `&#${found.charCodeAt(0)};`);
const svg = (width, height, body) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${style}\n${body.join('\n')}\n</svg>\n`;

/** Horizontal bars, each with its range; `bars` are `{ name, value, low, high, isOurs }`. */
export function barPlot(title, bars) {
  const [left, width, row] = [270, 780, 24];
  const most = Math.max(...bars.map(({ high, value }) => high ?? value));
  const x = (value) => (left + (Math.max(0, value) / most) * (width - left - 90)).toFixed(1);
  const lines = bars.flatMap(({ name, value, low, high, isOurs }, index) => {
    const y = 34 + index * row;
    return [
      `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escape(name)}</text>`,
      `<rect class="${isOurs ? 'ours' : 'other'}" x="${left}" y="${y}" width="${(x(value) - left).toFixed(1)}" height="16"/>`,
      ...(low === undefined
        ? []
        : [`<line class="range" x1="${x(low)}" x2="${x(high)}" y1="${y + 8}" y2="${y + 8}"/>`]),
      `<text x="${Number(x(Math.max(value, high ?? 0))) + 6}" y="${y + 12}">${escape(value)}</text>`,
    ];
  });
  return svg(width, 44 + bars.length * row, [`<text x="8" y="18">${escape(title)}</text>`, ...lines]);
}

/** Lines over minutes; `series` are `{ name, values }`, up to four. */
export function linePlot(title, series) {
  const [left, top, width, height] = [60, 30, 780, 260];
  const most = Math.max(...series.flatMap(({ values }) => values));
  const length = Math.max(...series.map(({ values }) => values.length));
  const x = (at) => (left + (at / (length - 1)) * (width - left - 10)).toFixed(1);
  const y = (value) => (height - 30 - (value / most) * (height - 30 - top)).toFixed(1);
  const classes = ['', 'second', 'third', 'fourth'];
  const colors = ['#2f81f7', '#d29922', '#3fb950', '#f85149'];
  return svg(width, height + 20, [
    `<text x="8" y="18">${escape(title)}</text>`,
    `<line class="axis" x1="${left}" x2="${width - 10}" y1="${y(0)}" y2="${y(0)}"/>`,
    `<text x="${left - 6}" y="${y(0)}" text-anchor="end">0</text>`,
    `<text x="${left - 6}" y="${Number(y(most)) + 4}" text-anchor="end">${escape(Math.round(most))}</text>`,
    ...[0, 1, 2, 3, 4, 5, 6]
      .filter((hour) => hour * 60 < length)
      .map((hour) => `<text x="${x(hour * 60)}" y="${height - 12}">${hour} h</text>`),
    ...series.map(
      ({ values }, index) =>
        `<polyline class="${classes[index]}" points="${values.map((value, at) => `${x(at)},${y(value)}`).join(' ')}"/>`,
    ),
    ...series.map(
      ({ name }, index) =>
        `<text x="${left + index * 180}" y="${height + 10}" style="fill:${colors[index]}">${escape(name)}</text>`,
    ),
  ]);
}

/** Mean of `size` neighbors, because the minutes of a sample vary much. */
export function smooth(values, size = 5) {
  return values.map((_, at) => {
    const near = values.slice(Math.max(0, at - size + 1), at + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}
