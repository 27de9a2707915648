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
  const result = { ...common, grantsInAll, processesInAll, scenarios: {} };
  for (const [name, scenario] of Object.entries(scenarios)) {
    const program = await startProcess(fromRoot('bench/lib/simulation-process.mjs'));
    try {
      const perMinute = await program.call('simulate', { ...common, ...scenario });
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
    } finally {
      await program.stop();
    }
  }
  return result;
}

const mean = (values) => round(values.reduce((sum, value) => sum + value, 0) / values.length);
const peaks = (values) => ({ p95: round(quantile(values, 0.95)), max: round(Math.max(...values)) });
