import { finishLogin, startProgram, Visitor } from './support';

describe('Auth.js (`@auth/express`)', () => {
  it('discovery, login with PKCE, state and nonce, and userinfo over TLS', async () => {
    const scene = await startProgram('auth-js', { https: true, callbackPath: '/auth/callback/salesforce' });
    await scene.program.next();
    const visitor = new Visitor(scene);

    const { csrfToken } = (await (await visitor.get('/auth/csrf')).json()) as { csrfToken: string };
    const login = await visitor.post('/auth/signin/salesforce', { csrfToken, callbackUrl: scene.origin });
    const callback = await finishLogin(scene, visitor, login.headers.get('location'));

    expect(callback.headers.get('location')).toBe(scene.origin);
    expect(await (await visitor.get('/me')).json()).toMatchObject({
      user: { name: 'Ada Fake', email: 'ada@acme.example' },
    });
  });
});
