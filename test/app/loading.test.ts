import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { dist } from '../helpers/built';
import { startTestEmulator } from '../helpers/emulator';

/** Files that a process has loaded after this code. */
async function filesLoadedAfter(code: string): Promise<string[]> {
  const program = `(async () => { ${code}; })().then(() => console.log(JSON.stringify(Object.keys(require.cache))))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', program], { cwd: join(dist, '..') });
  return JSON.parse(stdout) as string[];
}

/** Files of the package that an application has loaded after this code. */
async function loadedAfter(code: string, settings: object): Promise<string[]> {
  const files = await filesLoadedAfter(`
    const { salesforceAuth } = require(${JSON.stringify(join(dist, 'index.js'))});
    const salesforce = salesforceAuth({ ...${JSON.stringify(settings)}, report: false });
    const app = require('express')();
    app.use(require('express-session')({ secret: '__fake__', resave: false, saveUninitialized: false }), salesforce);
    ${code};
    await salesforce.close()`);
  return files.filter((file) => file.startsWith(dist)).map((file) => basename(file, '.js'));
}

describe('the main entry', () => {
  /** What has a file of its own in dist/, so that it is loaded at its first use. */
  const later = [
    ...['emulator', 'examination', 'strategy', 'login-steps', 'run', 'adoption', 'connection', 'app-client'],
    ...['oauth4webapi', 'jose'],
  ];

  it('loads two files, and neither emulator, doctor, strategy, refresh, OAuth libraries nor stores', async () => {
    const files = await filesLoadedAfter(`require(${JSON.stringify(join(dist, 'index.js'))})`);
    const own = files.filter((file) => file.startsWith(dist)).map((file) => relative(dist, file));

    expect(own.sort()).toEqual(['chunks/main.js', 'chunks/shared.js', 'index.js']);
    // What is merged into the two files has none of its own.
    expect(later.filter((name) => !existsSync(join(dist, 'chunks', `${name}.js`)))).toEqual([]);
  });

  it('loads three packages, with what debug needs', async () => {
    const files = await filesLoadedAfter(`require(${JSON.stringify(join(dist, 'index.js'))})`);
    const packages = files.flatMap((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
    const ofDebug = ['ms', 'supports-color', 'has-flag'];

    expect([...new Set(packages)].filter((name) => !ofDebug.includes(name)).sort()).toEqual([
      'cookie',
      'debug',
      'on-headers',
    ]);
  });

  it('loads the package that compares names when an option has a wrong name', async () => {
    const files = await filesLoadedAfter(`
      const { salesforceAuth } = require(${JSON.stringify(join(dist, 'index.js'))});
      require('node:assert').throws(() => salesforceAuth({ clientID: 'a', clientSecrte: 'b' }), /clientSecret/)`);

    expect(files.filter((file) => file.includes('fastest-levenshtein'))).not.toEqual([]);
  });
});

const rooms = ['app-client', 'app-token', 'app-access', 'app-options', 'signed-claims', 'client-key', 'frontdoor'];

it('an application with logins alone loads nothing of app tokens, signatures and the doctor for keys', async () => {
  const emulator = await startTestEmulator();
  const { clientID, clientSecret } = emulator.clients[0]!;
  const code = `await salesforce.diagnose({ origin: 'http://localhost:3000' }); salesforce.app()`;

  const loaded = await loadedAfter(code, { clientID, clientSecret, baseUrl: emulator.url });

  expect(loaded).toContain('index');
  expect(loaded.filter((name) => rooms.includes(name))).toEqual([]);
});

it('an application without a login yet loads nothing of logins when it answers', async () => {
  const code = `
    app.get('/guarded', salesforce.require(), () => undefined);
    app.get('/open', (req, res) => res.json(req.salesforce));
    await require('supertest')(app).get('/guarded').expect(401);
    await require('supertest')(app).get('/guarded').set('Accept', 'text/html').expect(302);
    await require('supertest')(app).get('/open').expect(200)`;
  const loaded = await loadedAfter(code, { clientID: '__test_client__' });

  expect(loaded.sort()).toEqual(['index', 'main', 'shared']);
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
