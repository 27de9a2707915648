import { execFile } from 'node:child_process';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { dist } from '../helpers/built';
import { startTestEmulator } from '../helpers/emulator';

/** Files of the package that a process has loaded after this code. */
async function loadedAfter(code: string, settings: object): Promise<string[]> {
  const program = `
    const { salesforceAuth } = require(${JSON.stringify(join(dist, 'index.js'))});
    const salesforce = salesforceAuth({ ...${JSON.stringify(settings)}, report: false });
    const app = require('express')();
    app.use(require('express-session')({ secret: '__fake__', resave: false, saveUninitialized: false }), salesforce);
    (async () => {
      ${code};
      await salesforce.close();
      console.log(JSON.stringify(Object.keys(require.cache).filter((file) => file.startsWith(${JSON.stringify(dist)}))));
    })();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', program], { cwd: join(dist, '..') });
  return (JSON.parse(stdout) as string[]).map((file) => basename(file, '.js'));
}

const rooms = ['app-client', 'app-token', 'app-access', 'app-options', 'signed-claims', 'client-key', 'frontdoor'];

it('an application with logins alone loads nothing of app tokens, signatures and the doctor for keys', async () => {
  const emulator = await startTestEmulator();
  const { clientID, clientSecret } = emulator.clients[0]!;
  const code = `await salesforce.diagnose({ origin: 'http://localhost:3000' }); salesforce.app()`;

  const loaded = await loadedAfter(code, { clientID, clientSecret, baseUrl: emulator.url });

  expect(loaded).toContain('index');
  expect(loaded.filter((name) => rooms.includes(name))).toEqual([]);
});

/** What the first login loads. The names of further chunks of a package end with a number. */
const isOfLogins = (name: string): boolean => /^(oauth4webapi|jose)\d*$/.test(name);

it('an application without a login yet loads no OAuth library, and nothing of the doctor', async () => {
  const loaded = await loadedAfter('', { clientID: '__test_client__' });

  expect(loaded).toContain('index');
  expect(loaded.filter((name) => isOfLogins(name) || name === 'examination')).toEqual([]);
});

it('the first login loads the strategy and the libraries of OAuth', async () => {
  const code = `await require('supertest')(app).get('/auth/salesforce').expect(302)`;
  const loaded = await loadedAfter(code, { clientID: '__test_client__' });

  expect(loaded).toEqual(expect.arrayContaining(['oauth4webapi', 'jose', 'strategy']));
});

it('the middleware drives the strategy of express-salesforce-auth/strategy', async () => {
  const code = `
    const { SalesforceStrategy } = require(${JSON.stringify(join(dist, 'strategy.js'))});
    SalesforceStrategy.prototype.authorizationParams = () => ({ marked: 'yes' });
    const { headers } = await require('supertest')(app).get('/auth/salesforce').expect(302);
    require('node:assert').equal(new URL(headers.location).searchParams.get('marked'), 'yes')`;

  await loadedAfter(code, { clientID: '__test_client__' });
});

it('the first use of an app token loads it', async () => {
  const emulator = await startTestEmulator();
  const { clientID, clientSecret } = emulator.clients[0]!;
  emulator.setPolicy(clientID, { clientCredentialsRunAs: emulator.users[0]!.username });
  const settings = { clientID, clientSecret, baseUrl: emulator.myDomainUrl };

  expect(await loadedAfter('await salesforce.app().getAccessToken()', settings)).toEqual(
    expect.arrayContaining(['app-client', 'app-token']),
  );
});
