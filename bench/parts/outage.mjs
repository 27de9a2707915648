import { startApplication } from '../lib/applications.mjs';
import { getRequest, openLoop } from '../lib/load.mjs';
import { startProvider } from '../lib/provider.mjs';
import { quantile, round } from '../lib/statistics.mjs';

const userIdOf = '005';
const organizationId = '00D000000000001EAA';

/** The token endpoint answers 503 for a while, with every grant stale and requests coming in all the time. */
export async function measure({ quick, emulator, log }) {
  const outageSeconds = quick ? 8 : 30;
  const recoverySeconds = quick ? 14 : 45;
  const perSecond = quick ? 500 : 2_000;
  const grants = 50;
  const provider = await startProvider((refreshToken) => ({
    baseUrl: provider.url,
    organizationId,
    userId: `${userIdOf}${refreshToken.split('.')[0].padStart(12, '0')}AAA`,
    expiresIn: 7_200,
  }));
  const given = { providerUrl: provider.url, grants, userIdOf };
  const app = await startApplication({ emulator, module: 'ours-grants', given, execArgv: ['--expose-gc'] });
  try {
    provider.isDown = true;
    const request = (number) => getRequest(`/grant/${number % grants}`, app.port, 'none=0');
    const before = await app.call('memory');
    await app.call('watchDelay');
    const waits = [];
    const outage = await openLoop(app.port, request, {
      perSecond,
      seconds: outageSeconds,
      onReply: (_status, ms) => waits.push(ms),
    });
    const after = await app.call('memory');
    const delay = await app.call('delay');
    const tokenRequests = provider.tokenRequests;
    log(`  outage: ${tokenRequests} token requests for ${outage.sent} requests`);
    provider.isDown = false;
    let lastFailureMs = 0;
    const recovery = await openLoop(app.port, request, {
      perSecond: Math.min(perSecond, 500),
      seconds: recoverySeconds,
      onReply: (status, _ms, atMs) => {
        if (status !== 200) lastFailureMs = Math.max(lastFailureMs, atMs);
      },
    });
    return {
      grants,
      outageSeconds,
      offeredPerSecond: perSecond,
      outage: {
        ...withoutFloats(outage),
        perSecond: round(outage.sent / outage.seconds),
        tokenRequests,
        introspections: provider.otherRequests,
        tokenRequestsPerGrant: round(tokenRequests / grants),
        waitP50Ms: round(quantile(waits, 0.5)),
        waitP99Ms: round(quantile(waits, 0.99)),
        eventLoopDelay: { p50Ms: round(delay.p50Ms), p99Ms: round(delay.p99Ms), maxMs: round(delay.maxMs) },
        heapGrowthMB: round((after.heapUsed - before.heapUsed) / 1e6),
      },
      recovery: {
        ...withoutFloats(recovery),
        tokenRequests: provider.tokenRequests - tokenRequests,
        lastFailureSecondsAfterIt: round(lastFailureMs / 1_000),
      },
    };
  } finally {
    await app.stop();
    provider.stop();
  }
}

function withoutFloats({ sent, refused, statuses, seconds }) {
  return { sent, notOffered: refused, statuses, seconds: round(seconds) };
}
