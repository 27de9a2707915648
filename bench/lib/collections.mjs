import { PerformanceObserver } from 'node:perf_hooks';

/** How long the garbage collector stopped the process while a function ran, in microseconds. */
export async function collectionUs(run) {
  let ms = 0;
  const add = (entries) => {
    for (const { duration } of entries) ms += duration;
  };
  const observer = new PerformanceObserver((list) => add(list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  try {
    await run();
    // Node.js reports a collection some time later.
    await new Promise((resolve) => setTimeout(resolve, 10));
    add(observer.takeRecords());
    return ms * 1_000;
  } finally {
    observer.disconnect();
  }
}
