import { runWithFaults } from '../faults/run';
import type { Exchange } from '../http/exchange';
import { jsonReply, type Reply } from '../http/reply';
import { bearer } from '../oauth/bearer';
import { opensData } from '../oauth/scopes';
import { identityUrl } from '../oauth/token-reply';
import type { Provider } from '../provider';
import type { Grant } from '../state/grants';
import { ingestJobs, queryJobs } from './bulk';
import { composite } from './composite';
import { DataError, dataErrorReply, notFound, sessionInvalid } from './errors';
import { limits, query, queryMore } from './query-resource';
import { sobjects } from './sobjects';

/** Versions of the API that are served. */
const newestVersion = 64;
const oldestVersion = 31;

/** Who calls, and the path after the version. */
export interface DataCall {
  readonly provider: Provider;
  readonly exchange: Exchange;
  readonly grant: Grant;
  readonly organizationId: string;
  /** `/services/data/v64.0`. */
  readonly root: string;
  readonly segments: readonly string[];
}

/** Everything under `/services/data`. */
export async function data(provider: Provider, exchange: Exchange): Promise<Reply> {
  const reply = await runWithFaults(provider.faults, exchange, ['data'], dataError, () => {
    try {
      return answer(provider, exchange);
    } catch (error) {
      if (error instanceof DataError) return dataErrorReply(error);
      if (error instanceof URIError) return dataErrorReply(notFound());
      throw error;
    }
  });
  const usage = `api-usage=${provider.requests.filter(({ path }) => path.includes('/services/data/')).length}/15000`;
  return { ...reply, headers: { 'sforce-limit-info': usage, ...reply.headers } };
}

function answer(provider: Provider, exchange: Exchange): Reply {
  const path = exchange.path.slice(exchange.site.length + '/services/data'.length);
  const [version = '', ...segments] = path.split('/').filter((segment) => segment !== '');
  if (version === '') return jsonReply(versions());
  const grant = authenticate(provider, exchange);
  const number = Number(/^v(\d\d)\.0$/.exec(version)?.[1] ?? 0);
  if (number < oldestVersion || number > newestVersion) throw notFound();
  const call: DataCall = {
    provider,
    exchange,
    grant,
    organizationId: grant.user.organizationId,
    root: `/services/data/${version}`,
    segments: segments.slice(1).map(decodeURIComponent),
  };
  return resource(segments[0], call);
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
      return composite(call, (exchange) => answerOne({ ...call, exchange }));
    case 'jobs':
      return call.segments[0] === 'ingest' ? ingestJobs(call) : queryJobs(call);
    default:
      throw notFound();
  }
}

/** A part of a composite request, by the same caller. */
function answerOne(call: DataCall): Reply {
  const [, , , ...segments] = call.exchange.path.split('/');
  const root = call.exchange.path.split('/').slice(0, 4).join('/');
  const [name, ...rest] = segments.slice(1).filter((segment) => segment !== '');
  try {
    if (!/^\/services\/data\/v\d\d\.0$/.test(root) || name === 'composite') throw notFound();
    return resource(name, { ...call, root, segments: rest.map(decodeURIComponent) });
  } catch (error) {
    if (error instanceof DataError) return dataErrorReply(error);
    throw error;
  }
}

/** A session is good for the instance it was issued for and nowhere else. */
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
