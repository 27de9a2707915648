import { Session } from 'node:inspector/promises';

/** Every so many bytes one allocation is noted; small, so that a few hundred requests tell. */
const samplingInterval = 512;

/** The bytes that are allocated while something runs, those included that are collected meanwhile: an estimate of samples. */
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
