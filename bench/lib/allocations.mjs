import { Session } from 'node:inspector/promises';

/** Bytes between two sampled allocations. The number is small, so that a few hundred requests are enough. */
const samplingInterval = 512;

/** Estimates from samples how many bytes a function allocates, including bytes that are collected meanwhile. */
export async function allocatedBytes(run) {
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await run();
    const { profile } = await session.post('HeapProfiler.stopSampling');
    return sizeOf(profile.head);
  } finally {
    session.disconnect();
  }
}

function sizeOf({ selfSize, children }) {
  return children.reduce((sum, child) => sum + sizeOf(child), selfSize);
}
