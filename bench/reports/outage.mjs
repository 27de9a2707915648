import { table } from '../lib/report.mjs';

export function report({ grants, outageSeconds, offeredPerSecond, outage, recovery }) {
  const { eventLoopDelay } = outage;
  return {
    text: table([
      [`token endpoint down for ${outageSeconds} s, ${grants} stale grants`, ''],
      ['requests a second, offered', offeredPerSecond],
      ['requests a second, taken', outage.perSecond],
      ['answers', statuses(outage)],
      ['token requests in all', outage.tokenRequests],
      ['token requests per grant', outage.tokenRequestsPerGrant],
      ['wait for an answer, p50 and p99, ms', `${outage.waitP50Ms}, ${outage.waitP99Ms}`],
      [
        'event loop delay, p50, p99 and most, ms',
        `${eventLoopDelay.p50Ms}, ${eventLoopDelay.p99Ms}, ${eventLoopDelay.maxMs}`,
      ],
      ['growth of the heap, MB', outage.heapGrowthMB],
      ['answers after it', statuses(recovery)],
      ['token requests after it', recovery.tokenRequests],
      ['last refusal after it, s', recovery.lastFailureSecondsAfterIt],
    ]),
  };
}

function statuses({ statuses: counts }) {
  return Object.entries(counts)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ');
}
