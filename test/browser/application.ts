import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { Router, type Express, type RequestHandler } from 'express';
import expressSession from 'express-session';
import type { Emulator, EmulatorClient } from '../../lib/emulator';
import { requireSalesforce, salesforceAuth, type SalesforceAuth, type SalesforceAuthOptions } from '../../lib';
import type { OperatorWarning } from '../../lib/reporter';
import { note, requestWatch, watchJobs } from '../helpers/leaks';

/** An application with pages, as a browser uses it. */
export interface Application {
  port: number;
  app: Express;
  client: EmulatorClient;
  salesforce: SalesforceAuth;
  /** What the operator was told. */
  warnings: OperatorWarning[];
}

export interface ApplicationOptions {
  emulator: Emulator;
  /** Default: any. */
  port?: number | undefined;
  /** The client of another process of this application. */
  client?: EmulatorClient | undefined;
  /** False for an application that mounts none. */
  session?: RequestHandler | false | undefined;
  /** Mounted before everything else. */
  before?: RequestHandler[] | undefined;
  trustProxy?: unknown;
  /** Where the application mounts everything. */
  mountPath?: string | undefined;
  /** What a proxy takes away of the paths that browsers use. */
  strippedPrefix?: string | undefined;
  options?: Partial<SalesforceAuthOptions> | undefined;
  routes?: ((router: Router, salesforce: SalesforceAuth) => void) | undefined;
}

const servers = new Set<Server>();
const middlewares = new Set<SalesforceAuth>();

/** The session middleware of an application that says nothing else. */
export function sessions(options: Partial<expressSession.SessionOptions> = {}): RequestHandler {
  const given = { secret: '__test_session_secret__', resave: false, saveUninitialized: false, ...options };
  return expressSession(given) as never;
}

/** Starts an application on a port of its own. Which callback URLs are registered is for the test to say. */
export async function startApplication(given: ApplicationOptions): Promise<Application> {
  const { emulator, mountPath = '', strippedPrefix = '' } = given;
  const app = express();
  const server = app.listen(given.port ?? 0, '127.0.0.1');
  servers.add(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = given.client ?? emulator.registerClient({ callbackURLs: [] });
  const warnings: OperatorWarning[] = [];
  const salesforce = salesforceAuth({
    clientID: client.clientID,
    clientSecret: client.clientSecret,
    baseUrl: emulator.url,
    scope: ['openid', 'id', 'api', 'refresh_token'],
    encryptionKeys: false,
    allowedOrganizations: 'any',
    report: (warning) => {
      note('a warning', warning);
      warnings.push(warning);
    },
    ...given.options,
  });
  middlewares.add(salesforce);
  watchJobs(salesforce);
  if (given.trustProxy !== undefined) app.set('trust proxy', given.trustProxy);
  const router = Router();
  router.use(requestWatch(), ...(given.before ?? []));
  if (given.session !== false) router.use(given.session ?? sessions());
  router.use(salesforce);
  const path = strippedPrefix + mountPath;
  const html = (
    title: string,
    name: string | undefined,
  ): string => `<!doctype html><html lang="en"><title>${title}</title>
<link rel="icon" href="data:,"><h1>${title}</h1><p>${name === undefined ? 'Not logged in' : `Logged in as ${name}`}</p>
<a href="${path}/guarded">Guarded page</a> <a href="${path}/auth/salesforce">Log in</a>
<form method="post" action="${path}/auth/salesforce/logout"><button>Log out</button></form></html>`;
  router.get('/', (req, res) => {
    res.send(html('Home', req.salesforce.user?.username));
  });
  router.get('/guarded', requireSalesforce(), (req, res) => {
    res.send(html('Guarded', req.salesforce.user?.username));
  });
  given.routes?.(router, salesforce);
  app.use(mountPath === '' ? '/' : mountPath, router);
  return { port, app, client, salesforce, warnings };
}

afterEach(async () => {
  for (const salesforce of middlewares) await salesforce.close();
  middlewares.clear();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers.clear();
});
