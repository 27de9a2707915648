import express from 'express';
import { consoleRoutes } from './console/routes';
import { data } from './data/resources';
import { hostedApi } from './hosted-api';
import { readExchange, recordRequest, type Exchange } from './http/exchange';
import { htmlReply, jsonReply, type Reply } from './http/reply';
import { transmit } from './http/transmit';
import { authorize } from './oauth/authorize';
import { containUser } from './oauth/containment';
import { authConfiguration, keys, openidConfiguration } from './oauth/discovery';
import { showApproval, showChooser, showLogin, submitApproval, submitChooser, submitLogin } from './oauth/forms';
import { identity, userinfo } from './oauth/identity';
import { introspect } from './oauth/introspect';
import { logout } from './oauth/logout';
import { revoke } from './oauth/revoke';
import { frontdoor, lightning, singleAccess } from './oauth/single-access';
import { token } from './oauth/token';
import { homePage, pagePaths } from './pages/pages';
import type { Provider } from './provider';

type Endpoint = (provider: Provider, exchange: Exchange) => Reply | Promise<Reply>;

/** The Express application of a provider. Every route is served at the root and under the path of the site. */
export function createApplication(provider: Provider): express.Express {
  const app = createBareApplication();
  const serve = serveWith(provider);
  if (provider.settings.console) app.use('/console', consoleRoutes(provider));
  const router = createRouter(serve);
  app.use(provider.hosts.sitePath, router);
  app.use(router);
  app.use(serve(() => htmlReply('<html><body>URL No Longer Exists</body></html>', 404)));
  return app;
}

/** The Express application of the host of APIs that are not on an instance. */
export function createHostedApi(provider: Provider): express.Express {
  const app = createBareApplication();
  app.use(serveWith(provider)(hostedApi));
  return app;
}

function createBareApplication(): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Bodies are read as text and parsed by the emulator, because Express 4 and 5 parse them differently.
  app.use(express.text({ type: () => true, limit: '5mb' }));
  return app;
}

/** Turns endpoints of a provider into handlers of Express, and keeps requests on record. */
function serveWith(provider: Provider): (endpoint: Endpoint) => express.RequestHandler {
  return (endpoint) => (req, res, next) => {
    const record = recordRequest(req, provider.clock.now());
    provider.record(record);
    res.once('finish', () => {
      record.status = res.statusCode;
    });
    res.once('close', provider.feed.arrived(record));
    const exchange = readExchange(req, res, record, placeOf(provider, req));
    // Express 4 ignores rejected promises.
    Promise.resolve()
      .then(() => {
        containUser(provider, exchange);
        return endpoint(provider, exchange);
      })
      .then((reply) => {
        transmit(res, reply);
      })
      .catch(next);
  };
}

function createRouter(serve: (endpoint: Endpoint) => express.RequestHandler): express.Router {
  const router = express.Router();
  router.get(
    '/',
    serve(({ users, settings }) => htmlReply(homePage(users, settings.console))),
  );
  router.get('/.well-known/openid-configuration', serve(openidConfiguration));
  router.get('/.well-known/auth-configuration', serve(authConfiguration));
  router.get('/id/keys', serve(keys));
  router.get('/id/:organization/:user', serve(identity));
  router.all('/services/oauth2/authorize', serve(authorize));
  // The path may end with a brand, which only changes the look of Salesforce's page.
  router.all('/services/oauth2/authorize/:brand', serve(authorize));
  router.all('/services/oauth2/token', serve(token));
  router.all('/services/oauth2/revoke', serve(revoke));
  router.post('/services/oauth2/introspect', serve(introspect));
  router.get('/services/oauth2/userinfo', serve(userinfo));
  router.post('/services/oauth2/userinfo', serve(userinfo));
  router.get('/services/oauth2/singleaccess', serve(singleAccess));
  router.post('/services/oauth2/singleaccess', serve(singleAccess));
  router.get('/secur/frontdoor.jsp', serve(frontdoor));
  router.get(/^\/lightning\/.+/, serve(lightning));
  router.all(
    '/services/oauth2/register',
    serve(() => jsonReply({ error: 'failed_registration' }, 404)),
  );
  router.get('/services/auth/idp/oidc/logout', serve(logout));
  router.get('/secur/logout.jsp', serve(logout));
  router.get(pagePaths.login, serve(showLogin));
  router.post(pagePaths.login, serve(submitLogin));
  router.get(pagePaths.approval, serve(showApproval));
  router.post(pagePaths.approval, serve(submitApproval));
  router.get(pagePaths.chooser, serve(showChooser));
  router.post(pagePaths.chooser, serve(submitChooser));
  router.use('/services/data', serve(data));
  return router;
}

/**
 * The origin and site of a request. An unknown Host header counts as the login host, so that a client cannot inject a host.
 */
function placeOf(provider: Provider, req: express.Request): { origin: string; site: string } {
  const { hosts } = provider;
  const origin = `${new URL(hosts.login).protocol}//${req.headers.host ?? ''}`;
  const path = req.originalUrl.split('?')[0] ?? '';
  const isSite = path === hosts.sitePath || path.startsWith(`${hosts.sitePath}/`);
  return { origin: hosts.origins.has(origin) ? origin : hosts.login, site: isSite ? hosts.sitePath : '' };
}
