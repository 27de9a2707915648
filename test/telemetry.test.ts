import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import ts from 'typescript';
import { MemoryTokenStore } from '../lib';
import { logIn, startApp } from './helpers/app';
import { startTestEmulator } from './helpers/emulator';

/** The code of the documentation, run as it stands. */
function recipe(): { observeSalesforce: () => void } {
  const text = readFileSync(join(__dirname, '../docs/guide/observability.md'), 'utf8');
  const [, code] = /<!-- the OpenTelemetry recipe -->\s+```ts\n([^]*?)^```$/m.exec(text)!;
  const { outputText } = ts.transpileModule(code!, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  const exports = {};
  const load = createRequire(__filename) as (name: string) => unknown;
  const requireAs = (name: string): unknown => modules[name] ?? load(name);
  // The code is this repository's own.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  new Function('require', 'exports', outputText)(requireAs, exports);
  return exports as { observeSalesforce: () => void };
}

/** Those with a state of their own, as the test has them. */
const modules: Record<string, unknown> = { '@opentelemetry/api': jest.requireActual('@opentelemetry/api') };

describe('the OpenTelemetry recipe', () => {
  it('makes metrics and spans of what happens to tokens', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const spans = new InMemorySpanExporter();
    metrics.setGlobalMeterProvider(meterProvider);
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
    recipe().observeSalesforce();

    const emulator = await startTestEmulator();
    const store = new MemoryTokenStore();
    const { browser } = await startApp({ emulator, options: { store, refresh: { cacheMs: 0 } } });
    const tab = browser();
    await logIn(tab, emulator);
    await tab.get('/accounts');
    emulator.expireAccessTokens();
    await tab.get('/accounts');
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 429 });
    await tab.get('/accounts');
    const read = jest.spyOn(store, 'read').mockRejectedValue(new Error('down'));
    await browser().get('/accounts');
    await tab.get('/me');
    read.mockRestore();
    await tab.post('/auth/salesforce/logout');

    await reader.forceFlush();
    const points = exporter
      .getMetrics()
      .at(-1)!
      .scopeMetrics.flatMap(({ metrics: list }) => list)
      .flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => ({
          name: descriptor.name,
          ...attributes,
          count: typeof value === 'number' ? value : (value as { count: number }).count,
        })),
      );
    expect(points).toEqual(
      expect.arrayContaining([
        { name: 'salesforce.token.served', from: 'store', count: expect.any(Number) as number },
        { name: 'salesforce.refresh.duration', outcome: 'succeeded', cause: 'rejected', count: 1 },
        {
          name: 'salesforce.refresh.duration',
          outcome: 'failed',
          cause: 'rejected',
          code: 'ERR_SALESFORCE_RATE_LIMITED',
          count: 1,
        },
        { name: 'salesforce.token.failed', code: 'ERR_SALESFORCE_REFRESH_DELAYED', count: 1 },
        { name: 'salesforce.store.errors', operation: 'read', count: expect.any(Number) as number },
        { name: 'salesforce.logins', tokens: 'new', count: 1 },
        { name: 'salesforce.logouts', ended: true, count: 1 },
        { name: 'salesforce.revocations', succeeded: true, count: 1 },
      ]),
    );
    expect(
      spans.getFinishedSpans().map(({ name, attributes, status }) => [name, attributes['outcome'], status.code]),
    ).toEqual([
      ['salesforce refresh', 'succeeded', 0],
      ['salesforce refresh', 'failed', 2],
    ]);
    await meterProvider.shutdown();
  });
});
