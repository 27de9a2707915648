import { BoundedMap } from '../bounded-map';
import type { TokenCoordinator } from '../coordinator/coordinator';
import { requiresLogin, SalesforceAuthError } from '../errors';
import { salesforceApiError } from './api-error';

/** How long an instance's newest version is remembered, in milliseconds: Salesforce has three releases a year. */
const rememberedMs = 24 * 60 * 60 * 1000;

/** Instances of which a process remembers the version. */
const maxInstances = 1_000;

/** What was asked of one instance, and when. */
interface Asked {
  version: Promise<string>;
  at: number;
}

/** By coordinator, since applications of one process can have clocks and networks of their own. */
const asked = new WeakMap<TokenCoordinator, BoundedMap<string, Asked>>();

/** An organization, and how to ask it. */
export interface AskedInstance {
  instanceUrl: string;
  fetch: (path: string) => Promise<Response>;
}

/** The newest API version of an instance, asked once a day however many requests want it. Failures are not remembered. */
export function apiVersionOf(coordinator: TokenCoordinator, { instanceUrl, fetch }: AskedInstance): Promise<string> {
  const instances = asked.get(coordinator) ?? new BoundedMap<string, Asked>(maxInstances);
  asked.set(coordinator, instances);
  const now = coordinator.clock.monotonic();
  const known = instances.get(instanceUrl);
  if (known && now - known.at < rememberedMs) {
    // The login of the user who asked may have ended. That says nothing of this user's login.
    return known.version.catch((error: unknown) => {
      if (requiresLogin(error)) return apiVersionOf(coordinator, { instanceUrl, fetch });
      throw error;
    });
  }
  const version = ask(fetch);
  const entry = { version, at: now };
  instances.set(instanceUrl, entry);
  version.catch(() => {
    if (instances.get(instanceUrl) === entry) instances.delete(instanceUrl);
  });
  return version;
}

async function ask(fetch: AskedInstance['fetch']): Promise<string> {
  const answer = await fetch('/services/data/');
  if (!answer.ok) throw await salesforceApiError(answer);
  const listed: unknown = await answer.json().catch(() => undefined);
  const versions = (Array.isArray(listed) ? listed : []).flatMap((entry: unknown) => {
    const version = (entry as { version?: unknown } | null)?.version;
    return typeof version === 'string' && /^\d{1,3}\.\d$/.test(version) ? [version] : [];
  });
  const newest = versions.sort((one, other) => Number(other) - Number(one))[0];
  if (newest === undefined) {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_REPLY_INVALID',
      "The organization's answer to /services/data/ names no API version.",
      { status: 502 },
    );
  }
  return newest;
}
