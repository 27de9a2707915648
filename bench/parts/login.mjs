import { startApplication } from '../lib/applications.mjs';
import { Browser } from '../lib/browser.mjs';
import { startSlowLink } from '../lib/slow-link.mjs';
import { shuffle, summarise } from '../lib/statistics.mjs';

const variants = [
  { name: 'this package', module: 'ours' },
  { name: 'this package, standard claims in the ID token', module: 'ours', policy: { includeStandardClaims: true } },
  { name: "this package, profileSource 'id'", module: 'ours', given: { options: { login: { profileSource: 'id' } } } },
  { name: 'passport-forcedotcom', module: 'passport-forcedotcom' },
  { name: 'Auth.js', module: 'auth-express-login' },
  { name: 'better-auth, PostgreSQL', module: 'better-auth' },
];

const roundTripMs = 150;

/** The identity URL is asked for at the far instance as well. */
const policy = { idHost: 'instance' };

/** The duration of a callback if Salesforce is far away: the first callback of a process, and the next one. */
export async function measure({ quick, emulator, servers, log }) {
  const rounds = quick ? 1 : 5;
  const { url } = await emulator.call('describe');
  const slow = await startSlowLink(Number(new URL(url).port), roundTripMs);
  // Identity and data come from the instance, which must be as far away.
  await emulator.call('moveInstance', slow.url);
  const figures = Object.fromEntries(variants.map(({ name }) => [name, { first: [], next: [] }]));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { name, module, given, policy: further } of shuffle(variants)) {
        const app = await startApplication({
          emulator,
          module,
          policy: { ...policy, ...further },
          given: { emulatorUrl: slow.url, postgresUrl: servers.postgres.url, ...given },
        });
        try {
          figures[name].first.push(await timeCallback(app, emulator, slow.link));
          figures[name].next.push(await timeCallback(app, emulator, slow.link));
        } finally {
          await app.stop();
        }
      }
      log(`  round ${round + 1} of ${rounds}`);
    }
  } finally {
    slow.stop();
    await emulator.call('moveInstance', url);
  }
  const of = (runs) => ({
    ms: summarise(runs.map(({ ms }) => ms)),
    requests: runs.at(-1).requests,
    connections: runs.at(-1).connections,
  });
  return {
    roundTripMs,
    variants: Object.fromEntries(
      Object.entries(figures).map(([name, { first, next }]) => [name, { first: of(first), next: of(next) }]),
    ),
  };
}

async function timeCallback({ url, loginPath }, emulator, link) {
  const browser = new Browser();
  const { location } = await browser.get(url + loginPath);
  const callback = await emulator.call('logIn', location);
  await emulator.call('takeRequests');
  const { connections } = link;
  const startedAt = performance.now();
  const { status, body } = await browser.get(callback);
  const ms = performance.now() - startedAt;
  if (status !== 302) throw new Error(`The callback answered ${status}: ${body.slice(0, 300)}`);
  const requests = (await emulator.call('takeRequests')).map(({ method, path }) => `${method} ${path}`);
  return { ms, connections: link.connections - connections, requests: requests.map(withoutIds) };
}

function withoutIds(request) {
  return request.replace(/\/id\/00D\w+\/005\w+/, '/id/<organization>/<user>');
}
