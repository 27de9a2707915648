import express5, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import express4 from 'express4';
import { configurationFromEnv, isSalesforceAuthError, requireSalesforce, salesforceAuth } from '../../lib';
import { SalesforceStrategy } from '../../lib/strategy';
import { browserOf, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

const clientID = '__test_client_id__';
const clientSecret = '__test_client_secret__';

function messageOf(options: object): string {
  try {
    void salesforceAuth({ clientID, ...options }).close();
  } catch (error) {
    if (isSalesforceAuthError(error)) return error.message;
    throw error;
  }
  throw new Error('The options were accepted.');
}

describe('a base URL that is the address of the application', () => {
  const callbackURL = 'https://app.example.com/auth/salesforce/callback';
  const own = 'is the address of your application';

  it.each<[string, object, string]>([
    [
      'of the callback',
      { callbackURL, baseUrl: 'https://app.example.com' },
      'baseUrl must be the address of Salesforce',
    ],
    ['of the callback, with a path', { callbackURL, baseUrl: 'https://APP.example.com:443/portal' }, own],
    ['of publicUrl', { publicUrl: 'https://www.example.com/crm', baseUrl: 'https://www.example.com' }, own],
    [
      'of the second publicUrl',
      { publicUrl: ['https://example.com', 'https://www.example.com'], baseUrl: 'https://www.example.com' },
      own,
    ],
    [
      'of an organization',
      { callbackURL, organizations: { acme: 'https://app.example.com' } },
      'organizations.acme must',
    ],
    [
      'on this machine',
      { callbackURL: 'http://localhost:3000/auth/salesforce/callback', baseUrl: 'http://localhost:3000' },
      'localhost:3000 is the address of your application',
    ],
  ])('is refused: %s', (_what, options, sentence) => {
    expect(messageOf(options)).toContain(sentence);
    expect(messageOf(options)).not.toContain('allowedHosts');
  });

  it('is refused for a configuration function and for the strategy as well', async () => {
    const emulator = await startTestEmulator();
    const { browser, errors } = await startApp({
      emulator,
      create: () =>
        salesforceAuth({
          configuration: () => ({ clientID, baseUrl: 'https://www.example.com' }),
          publicUrl: 'https://www.example.com',
          report: false,
        }),
    });

    await browser().get('/auth/salesforce');

    expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining(own) })]);
    const verify = (_a: string, _r: string | undefined, _p: object, _done: unknown): void => undefined;
    expect(() => new SalesforceStrategy({ clientID, callbackURL, baseUrl: 'https://app.example.com' }, verify)).toThrow(
      own,
    );
  });

  it.each<[string, object]>([
    ['allowedHosts names it', { callbackURL, baseUrl: 'https://app.example.com', allowedHosts: ['app.example.com'] }],
    ['it is on another port', { callbackURL: 'http://localhost:3000/cb', baseUrl: 'http://localhost:4400' }],
    [
      'the callback is at the echo endpoint of Salesforce',
      {
        callbackURL: 'https://login.salesforce.com/services/oauth2/success',
        baseUrl: 'https://login.salesforce.com',
      },
    ],
    [
      'the callback is at the echo endpoint of an emulator',
      { callbackURL: 'http://localhost:4400/services/oauth2/success', baseUrl: 'http://localhost:4400' },
    ],
  ])('is taken if %s', async (_what, options) => {
    await salesforceAuth({ clientID, report: false, ...options }).close();
  });
});

describe('a mistake in an option is told with what mends it', () => {
  const endpoint = 'https://login.salesforce.com/services/oauth2/authorize';

  it.each<[string, object, string]>([
    ['a base URL that is the endpoint', { baseUrl: endpoint }, 'Did you mean https://login.salesforce.com?'],
    ['a base URL that is the token endpoint', { baseUrl: `${endpoint}/../token/` }, 'https://login.salesforce.com?'],
    [
      'a base URL that is the endpoint of a site',
      { baseUrl: 'https://acme.my.site.com/portal/services/oauth2/token' },
      'Did you mean https://acme.my.site.com/portal?',
    ],
    [
      'an organization whose base URL is the endpoint',
      { organizations: { sandbox: 'https://test.salesforce.com/services/oauth2' } },
      'organizations.sandbox has the path of a page or an endpoint',
    ],
    [
      'a base URL with a page of Lightning',
      { baseUrl: 'https://acme.my.salesforce.com/lightning/page/home' },
      'Did you mean https://acme.my.salesforce.com?',
    ],
    [
      'the page that an administrator has open',
      { baseUrl: 'https://acme.lightning.force.com/lightning/setup/SetupOneHome/home' },
      'Did you mean https://acme.my.salesforce.com?',
    ],
    [
      'the host of Lightning, for a sandbox',
      { baseUrl: 'https://acme--uat.sandbox.lightning.force.com' },
      'Did you mean https://acme--uat.sandbox.my.salesforce.com?',
    ],
    [
      'the host of Setup',
      { baseUrl: 'https://acme.my.salesforce-setup.com/lightning/setup/SetupOneHome/home' },
      'Did you mean https://acme.my.salesforce.com?',
    ],
    [
      'the host of Setup, for a sandbox',
      { baseUrl: 'https://acme--uat.sandbox.my.salesforce-setup.com' },
      'Did you mean https://acme--uat.sandbox.my.salesforce.com?',
    ],
    [
      'the host of Lightning in the government cloud',
      { baseUrl: 'https://acme.lightning.crmforce.mil' },
      'Did you mean https://acme.my.salesforce.mil?',
    ],
    [
      'the host of Lightning in the China cloud',
      { baseUrl: 'https://acme.lightning.sfcrmapps.cn' },
      'Did you mean https://acme.my.sfcrmproducts.cn?',
    ],
    ['a key with a line break', { clientID: `${clientID}\n` }, 'it has a line break: remove that'],
    ['a key of a Windows file', { clientID: `${clientID}\r\n` }, 'it has a line break: remove that'],
    ['a key with a blank', { clientID: ` ${clientID}` }, 'Consumer Key alone, and it has a blank'],
    ['a key in quotation marks', { clientID: `"${clientID}"` }, 'it has quotation marks around it'],
    [
      'a secret with a line break',
      { clientSecret: `${clientSecret}\n` },
      'Consumer Secret alone, and it has a line break',
    ],
    ['a secret with a blank', { clientSecret: `${clientSecret} ` }, 'it has a blank: remove that'],
    ['a secret in quotation marks', { clientSecret: `'${clientSecret}'` }, 'it has quotation marks around it'],
    ['scopes with commas', { scope: 'openid,api' }, "separated by spaces and not by commas: 'openid api'"],
    ['scopes with commas and spaces', { scope: 'openid, api' }, 'not by commas'],
    ['scopes with commas in a list', { scope: ['openid,api'] }, 'not by commas'],
    [
      'a key for encryption that is undefined',
      { encryptionKeys: [undefined] },
      'encryptionKeys[0] is missing or empty',
    ],
    [
      'an older key for encryption that is empty',
      { encryptionKeys: ['x'.repeat(32), ''] },
      'encryptionKeys[1] is missing or empty. If it comes from an environment variable, make sure that the variable is set.',
    ],
  ])('%s', (_mistake, options, sentence) => {
    const message = messageOf(options);

    expect(message).toContain(sentence);
    expect(message).not.toContain(clientSecret);
  });

  it.each([
    ['is empty', { SALESFORCE_CLIENT_ID: '' }],
    ['is blank', { SALESFORCE_CLIENT_ID: '  ' }],
    ['is not set', {}],
  ])('SALESFORCE_CLIENT_ID %s', (_how, env) => {
    expect(messageOf(configurationFromEnv(env))).toContain('set the environment variable SALESFORCE_CLIENT_ID');
  });

  it('a variable with a blank at its end is no mistake, and one in quotation marks is', async () => {
    const env = { SALESFORCE_CLIENT_ID: `${clientID} \n`, SALESFORCE_CLIENT_SECRET: `\t${clientSecret}\r\n` };
    await salesforceAuth(configurationFromEnv(env)).close();

    const quoted = { ...env, SALESFORCE_CLIENT_SECRET: `"${clientSecret}"` };
    expect(messageOf(configurationFromEnv(quoted))).toContain('clientSecret must be the Consumer Secret alone');
  });
});

describe.each([
  [4, express4],
  [5, express5],
] as const)('a function without its parentheses, on Express %d', (_major, express) => {
  const salesforce = salesforceAuth({ clientID, allowedOrganizations: 'any' });
  afterAll(() => salesforce.close());
  const mounted = salesforce as unknown as Record<string, unknown>;

  it.each<[string, unknown, string]>([
    ['app.use(salesforceAuth)', salesforceAuth, 'write salesforceAuth(), with the parentheses'],
    ["app.get('/x', requireSalesforce)", requireSalesforce, 'write requireSalesforce(), with the parentheses'],
    ["app.get('/x', salesforce.require)", mounted['require'], 'write requireSalesforce(), with the parentheses'],
    ["app.get('/x', salesforce.login)", mounted['login'], 'write login(), with the parentheses'],
    ["app.post('/x', salesforce.logout)", mounted['logout'], 'write logout(), with the parentheses'],
    ['app.use(salesforce.errorHandler)', mounted['errorHandler'], 'write errorHandler(), with the parentheses'],
  ])('%s', async (_line, handler, sentence) => {
    const app = express() as Express;
    const errors: Error[] = [];
    const note: ErrorRequestHandler = (error: Error, _req, res, _next) => {
      errors.push(error);
      res.status(500).end();
    };
    app.use(handler as RequestHandler, note);

    const { status } = await browserOf(app).get('/x');

    expect(status).toBe(500);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining(sentence)]);
  });
});

describe.each([4, 5] as const)('a link to the logout, on Express %d', (express) => {
  it('leads to a page with a button, and logs no user out by itself', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express });
    const tab = browser();

    const page = await tab.get('/auth/salesforce/logout').set('Accept', 'text/html');

    expect(page.status).toBe(200);
    expect(page.text).toMatch(/<form method="post"[^>]*action="\/auth\/salesforce\/logout"/);
    expect(page.text).toContain('<button');
  });
});
