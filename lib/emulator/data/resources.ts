import { newestApiVersion } from '../../salesforce/api-version';
import { runWithFaults } from '../faults/run';
import type { Exchange } from '../http/exchange';
import { jsonReply, type Reply } from '../http/reply';
import { bearer } from '../oauth/bearer';
import { opensData } from '../oauth/scopes';
import { identityUrl } from '../oauth/token-reply';
import type { Provider } from '../provider';
import type { Grant } from '../state/grants';
import { ingestJobs, queryJobs } from './bulk';
import { composites } from './composite';
import type { DataCall } from './data-call';
import { DataError, dataErrorReply, notFound, sessionInvalid } from './errors';
import { notEmulated } from './not-emulated';
import { limits, query, queryMore } from './query-resource';
import { sobjects } from './sobjects';

/** Versions of the API that the emulator serves. */
const newestVersion = Number(newestApiVersion);
const oldestVersion = 31;

/** Everything under `/services/data`. */
export async function data(provider: Provider, exchange: Exchange): Promise<Reply> {
  const reply = await runWithFaults(provider.faults, exchange, ['data'], dataError, () =>
    withDataErrors(() => answer(provider, exchange)),
  );
  const usage = `api-usage=${provider.apiRequests}/15000`;
  return { ...reply, headers: { 'sforce-limit-info': usage, ...reply.headers } };
}

function withDataErrors(run: () => Reply): Reply {
  try {
    return run();
  } catch (error) {
    if (error instanceof DataError) return dataErrorReply(error);
    if (error instanceof URIError) return dataErrorReply(notFound());
    throw error;
  }
}

function answer(provider: Provider, exchange: Exchange): Reply {
  const path = exchange.path.slice(exchange.site.length);
  if (segmentsOf(path).length === 0) return jsonReply(versions());
  const grant = authenticate(provider, exchange);
  return route(path, { provider, exchange, grant, organizationId: grant.user.organizationId });
}

/** The segments of a path after `/services/data`. */
function segmentsOf(path: string): string[] {
  return path
    .slice('/services/data'.length)
    .split('/')
    .filter((segment) => segment !== '');
}

/** Finds version and resource of a path. @throws DataError NOT_FOUND if the emulator does not serve the version */
function route(path: string, caller: Omit<DataCall, 'root' | 'segments'>): Reply {
  const [version = '', name, ...rest] = path.startsWith('/services/data/') ? segmentsOf(path) : [];
  const number = Number(/^v(\d\d)\.0$/.exec(version)?.[1] ?? 0);
  if (number < oldestVersion || number > newestVersion) throw notFound();
  return resource(name, { ...caller, root: `/services/data/${version}`, segments: rest.map(decodeURIComponent) });
}

function resource(name: string | undefined, call: DataCall): Reply {
  switch (name) {
    case undefined:
      return jsonReply(resourceMap(call));
    case 'limits':
      return limits(call);
    case 'query':
      return call.segments.length === 0 ? query(call) : queryMore(call);
    case 'sobjects':
      return sobjects(call);
    case 'chatter':
      return chatter(call);
    case 'composite':
      return composites(call, (exchange) => answerPart(call, exchange));
    case 'jobs':
      return call.segments[0] === 'ingest' ? ingestJobs(call) : queryJobs(call);
    default:
      throw notEmulated([name, ...call.segments]);
  }
}

/** Answers a part of a composite request for the same caller. */
function answerPart(call: DataCall, exchange: Exchange): Reply {
  return withDataErrors(() => {
    const [, name, part] = segmentsOf(exchange.path);
    if (name === 'composite' && part !== 'sobjects') throw notFound();
    return route(exchange.path, { ...call, exchange });
  });
}

/** A session is valid only at the instance for which it was issued. */
function authenticate(provider: Provider, exchange: Exchange): Grant {
  const access = bearer(provider, exchange);
  if (typeof access === 'string' || exchange.origin !== access.instanceOrigin) throw sessionInvalid();
  if (!opensData(access.grant.scopes)) {
    throw new DataError(401, 'INVALID_SESSION_ID', 'This session is not valid for use with the REST API');
  }
  return access.grant;
}

function versions(): { label: string; url: string; version: string }[] {
  return Array.from({ length: newestVersion - oldestVersion + 1 }, (_, index) => {
    const version = `${oldestVersion + index}.0`;
    return { label: `Emulated ${version}`, url: `/services/data/v${version}`, version };
  });
}

function resourceMap({ provider, root, grant }: DataCall): Record<string, string> {
  return {
    limits: `${root}/limits`,
    query: `${root}/query`,
    sobjects: `${root}/sobjects`,
    chatter: `${root}/chatter`,
    composite: `${root}/composite`,
    jobs: `${root}/jobs`,
    identity: identityUrl(provider, grant),
  };
}

function chatter({ segments, grant: { user } }: DataCall): Reply {
  if (segments.join('/') !== 'users/me') throw notFound();
  const { userId, username, displayName, firstName, lastName, email, active } = user;
  return jsonReply({
    id: userId,
    username,
    name: displayName,
    displayName,
    firstName,
    lastName,
    email,
    isActive: active,
  });
}

function dataError(error: string, description = error, status = 400): Reply {
  return dataErrorReply(new DataError(status, error, description));
}
