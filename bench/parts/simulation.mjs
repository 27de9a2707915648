import { fromRoot } from '../lib/paths.mjs';
import { startProcess } from '../lib/process.mjs';
import { quantile, round } from '../lib/statistics.mjs';

/**
 * The number of grants that the sample stands for. Rates grow with the number of grants; the work for each grant does not.
 */
const grantsInAll = 10_000_000;
const processesInAll = 200;

const scenarios = {
  'logins over an hour': { loginMinutes: 60 },
  'all log in within a minute': { loginMinutes: 1 },
  'region down for 30 minutes': { loginMinutes: 60, outage: { from: 120, to: 150 } },
  'rolling deploy of 20 minutes': { loginMinutes: 60, deploy: { from: 120, to: 140 } },
};

/**
 * Outages of an hour, with keep-alive. The logins are spread over the mean time between two refreshes of a grant, so the usual rate
 * is steady before the outage. A sample that is larger shows the rate of a minute better.
 */
const outages = {
  'answers 503': {},
  'answers nothing': { isLost: true },
};
const steady = { loginMinutes: 101, usualFrom: 210, outage: { from: 270, to: 330 } };

/** The coordinator in virtual time. */
export async function measure({ quick, log }) {
  const common = {
    grants: quick ? 1_000 : 5_000,
    processes: quick ? 4 : 8,
    minutes: quick ? 240 : 360,
    usesPerMinute: quick ? 0.25 : 0.5,
    latencyMs: 300,
  };
  const factor = grantsInAll / common.grants / 60;
  const sample = quick
    ? { grants: 2_000, idleGrants: 600, minutes: 450 }
    : { grants: 20_000, idleGrants: 6_000, minutes: 600 };
  const result = { ...common, grantsInAll, processesInAll, scenarios: {} };
  for (const [name, scenario] of Object.entries(scenarios)) {
    const perMinute = await simulate({ ...common, ...scenario });
    const refreshes = perMinute.map(({ token }) => round(token * factor));
    const storeOperations = perMinute.map(({ store }) => round(store * factor));
    const from = Math.min(scenario.loginMinutes, 60) + 1;
    result.scenarios[name] = {
      ...scenario,
      refreshesPerSecond: { mean: mean(refreshes.slice(from)), ...peaks(refreshes.slice(from)) },
      storeOperationsPerSecond: { mean: mean(storeOperations.slice(from)), ...peaks(storeOperations.slice(from)) },
      failed: perMinute.reduce((sum, { failed }) => sum + failed, 0),
      refreshes,
      storeOperations,
    };
    log(`  ${name}`);
  }
  result.outages = { ...sample, ...steady, kinds: {} };
  for (const [name, kind] of Object.entries(outages)) {
    const outage = { ...steady.outage, ...kind };
    const perMinute = await simulate({ ...common, ...sample, loginMinutes: steady.loginMinutes, outage });
    result.outages.kinds[name] = figuresOf(perMinute, grantsInAll / sample.grants / 60);
    log(`  outage: ${name}`);
  }
  return result;
}

/** Requests to Salesforce before, during and after an outage. */
function figuresOf(perMinute, factor) {
  const { usualFrom, outage } = steady;
  const requests = perMinute.map(({ token }) => token * factor);
  const after = requests.slice(outage.to);
  const overFive = after.slice(4).map((_, index) => mean(after.slice(index, index + 5)));
  const usual = mean(requests.slice(usualFrom, outage.from));
  const worst = { fiveMinutes: round(Math.max(...overFive)), minute: round(Math.max(...after)) };
  return {
    usual,
    during: mean(requests.slice(outage.from, outage.to)),
    worst,
    ratio: { fiveMinutes: round(worst.fiveMinutes / usual), minute: round(worst.minute / usual) },
    keptAlive: perMinute.reduce((sum, { kept }) => sum + kept, 0),
    failed: perMinute.reduce((sum, { failed }) => sum + failed, 0),
    requests: requests.map(round),
  };
}

/** A process of its own for each scenario, because the simulation replaces `fetch`. */
async function simulate(scenario) {
  const program = await startProcess(fromRoot('bench/lib/simulation-process.mjs'));
  try {
    return await program.call('simulate', scenario);
  } finally {
    await program.stop();
  }
}

const mean = (values) => round(values.reduce((sum, value) => sum + value, 0) / values.length);
const peaks = (values) => ({ p95: round(quantile(values, 0.95)), max: round(Math.max(...values)) });
