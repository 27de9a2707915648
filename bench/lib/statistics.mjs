/** Statistics of several rounds: the median, the range, and the confidence interval of the median. */

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const [low, high = low] = [sorted[below], sorted[below + 1]];
  return low + (high - low) * (position - below);
}

const median = (values) => quantile(values, 0.5);

/**
 * Median, minimum and maximum, and the 95 % confidence interval of the median by bootstrap: the median of many samples
 * drawn, with replacement, from the rounds.
 */
export function summarise(values) {
  const medians = Array.from({ length: 2_000 }, () =>
    median(values.map(() => values[Math.floor(Math.random() * values.length)])),
  );
  return {
    median: round(median(values)),
    min: round(Math.min(...values)),
    max: round(Math.max(...values)),
    low: round(quantile(medians, 0.025)),
    high: round(quantile(medians, 0.975)),
    rounds: values.length,
  };
}

/** Rounds to four significant digits. More digits are noise and make the result files larger. */
export function round(value) {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : value;
}

export function shuffle(values) {
  const mixed = [...values];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}
