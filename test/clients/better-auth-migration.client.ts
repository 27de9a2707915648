import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from '../helpers/built';
import { installed } from './program';
import { finishLogin, startProgram, Visitor } from './support';

/** The way from better-auth in docs/guide/migration.md. */
describe('better-auth, then this package', () => {
  it('users stay logged in, their refresh tokens are adopted', async () => {
    const link = join(installed('better-auth').folder, 'node_modules/express-salesforce-auth');
    rmSync(link, { force: true });
    symlinkSync(join(dist, '..'), link);
    const callbackPath = '/api/auth/callback/salesforce';
    const scene = await startProgram('better-auth', { name: 'better-auth-migration', https: true, callbackPath });
    const { emulator, program } = scene;
    expect(await program.next()).toEqual({ step: 'before' });
    const visitor = new Visitor(scene);
    const login = await visitor.postJSON('/api/auth/sign-in/social', { provider: 'salesforce', callbackURL: '/' });
    await finishLogin(scene, visitor, ((await login.json()) as { url: string }).url);

    expect((await visitor.get('/accounts')).status).toBe(200);
    emulator.expireAccessTokens();
    // It knows no end of the access token, so it does not refresh.
    expect((await visitor.get('/accounts')).status).toBe(401);
    expect([...emulator.presentations.values()]).toEqual([]);

    program.send({});
    expect(await program.next()).toEqual({ step: 'after' });
    expect((await visitor.get('/accounts')).status).toBe(200);
    emulator.expireAccessTokens();
    expect((await visitor.get('/accounts')).status).toBe(200);
    expect([...emulator.presentations.values()]).toEqual([1, 1]);
    expect((await new Visitor(scene).get('/accounts')).status).toBe(401);
  });
});
