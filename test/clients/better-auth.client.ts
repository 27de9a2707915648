import { finishLogin, startProgram, Visitor } from './support';

describe('better-auth', () => {
  it('login with PKCE and userinfo over TLS', async () => {
    const scene = await startProgram('better-auth', { https: true, callbackPath: '/api/auth/callback/salesforce' });
    await scene.program.next();
    const visitor = new Visitor(scene);

    const login = await visitor.postJSON('/api/auth/sign-in/social', { provider: 'salesforce', callbackURL: '/' });
    const { url } = (await login.json()) as { url: string };
    const callback = await finishLogin(scene, visitor, url);
    const session = await visitor.get('/api/auth/get-session');

    expect(callback.headers.get('location')).toBe('/');
    expect(await session.json()).toMatchObject({ user: { name: 'Ada Fake', email: 'ada@acme.example' } });
  });
});
