import salesforceAuth, {
  isSalesforceAuthError,
  MemoryTokenStore,
  requireSalesforce,
  type GuardedRequest,
  type SalesforceAuth,
  type SalesforceErrorCode,
} from 'express-salesforce-auth';
import { SalesforceStrategy } from 'express-salesforce-auth/strategy';
import type { TokenStore } from 'express-salesforce-auth/stores';
import { PostgresTokenStore } from 'express-salesforce-auth/stores/postgres';
import { RedisTokenStore } from 'express-salesforce-auth/stores/redis';
import { startEmulator, type Emulator } from 'express-salesforce-auth/emulator';
import express, { type Express, type Request } from 'express';

const client = { clientID: '__test_client__', clientSecret: '__test_secret__', callbackURL: '/auth/salesforce/callback' };

const store: TokenStore = new MemoryTokenStore();
const salesforce: SalesforceAuth = salesforceAuth({ ...client, prompt: 'login', store });
const app: Express = express();
app.use(salesforce);
app.get('/login', salesforce.login({ prompt: 'select_account', returnTo: '/accounts' }));
app.get('/accounts', requireSalesforce({ scopes: ['api'] }), async (req, res) => {
  const guarded: GuardedRequest = salesforce.get(req);
  const token: string = guarded.accessToken;
  const reply: Response = await req.salesforce.fetch(`/services/data?${token.length}`);
  res.json({ status: reply.status, user: guarded.user.username });
});
// A guard leaves the types of a route's parameters and body to the route.
interface AccountParameters {
  id: string;
}
app.get('/accounts/:id', requireSalesforce(), (req, res) => {
  const id: string = req.params.id;
  res.json({ id, grantId: salesforce.get(req).grantId });
});
app.post<AccountParameters, object, { name: string }>('/accounts/:id', salesforce.require(), express.json(), (req, res) => {
  res.json({ id: req.params.id, name: req.body.name.trim(), grantId: salesforce.get(req).grantId });
});
app.get('/', (req, res) => {
  if (req.salesforce.isAuthenticated) res.json(req.salesforce.user.organizationId);
  // @ts-expect-error -- nobody is logged in here
  else res.json(req.salesforce.user.organizationId);
});

export const strategy = new SalesforceStrategy(client, (_accessToken, _refreshToken, params, profile, done) => {
  const instanceUrl: string | undefined = params.instance_url;
  done(null, { id: profile.id, instanceUrl } as object);
});

// The stores take clients by their shape: none of the three packages is installed here.
declare const redis: ConstructorParameters<typeof RedisTokenStore>[0]['client'];
declare const pool: ConstructorParameters<typeof PostgresTokenStore>[0]['pool'];
export const stores = (): TokenStore[] => [new RedisTokenStore({ client: redis }), new PostgresTokenStore({ pool })];

// @ts-expect-error -- no such prompt
export const wrong = (): SalesforceAuth => salesforceAuth({ ...client, prompt: 'never' });

export function codeOf(error: unknown): SalesforceErrorCode | undefined {
  return isSalesforceAuthError(error) ? error.code : undefined;
}

/** What an application hands on without naming its type. The compiler writes the types into the declarations, and needs their names. */
export const inferred = {
  grant: (grantId: string) => salesforce.tokens.get(grantId),
  found: () => salesforce.tokens.find({ organizationId: '', userId: '' }),
  summaries: () => salesforce.tokens.list(),
  adopted: () => salesforce.tokens.adopt({ refreshToken: '' }),
  app: () => salesforce.app(),
  findings: async () => (await salesforce.diagnose()).findings,
  request: (req: Request) => salesforce.of(req),
  guarded: (req: Request) => salesforce.get(req),
  user: (req: Request) => salesforce.of(req).user,
  logins: (req: Request) => salesforce.of(req).logins,
  events: () => salesforce.events,
  guard: () => requireSalesforce(),
  guards: () => [salesforce.require(), salesforce.login(), salesforce.logout()],
};

async function emulate(): Promise<string> {
  const emulator: Emulator = await startEmulator({ callbackURLs: ['http://localhost:3000/callback'] });
  await emulator.stop();
  await salesforce.close();
  return emulator.url;
}

void emulate().then((url) => {
  if (!url.startsWith('http://localhost:')) throw new Error(url);
});
