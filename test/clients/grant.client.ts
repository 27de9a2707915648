import { finishLogin, startProgram, Visitor } from './support';

describe('grant', () => {
  it('login with PKCE, state and nonce, and userinfo', async () => {
    const scene = await startProgram('grant', { callbackPath: '/connect/salesforce/callback' });
    await scene.program.next();
    const visitor = new Visitor(scene);

    const login = await visitor.get('/connect/salesforce');
    const callback = await finishLogin(scene, visitor, login.headers.get('location'));

    expect(callback.headers.get('location')).toBe('/done');
    expect(await (await visitor.get('/me')).json()).toEqual({ username: 'ada@acme.example' });
  });
});
