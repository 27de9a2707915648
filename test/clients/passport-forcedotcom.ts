import { finishLogin, startProgram, Visitor } from './support';

/** What the tests have passport-forcedotcom do, wherever it is installed. */
export function describePassportForcedotcom(client: string): void {
  it('login and profile', async () => {
    // It knows no PKCE, which apps made today require.
    const scene = await startProgram(client, { name: 'passport-forcedotcom', app: 'legacy' });
    await scene.program.next();
    const visitor = new Visitor(scene);

    const callback = await finishLogin(scene, visitor, (await visitor.get('/login')).headers.get('location'));

    expect(callback.status).toBe(302);
    expect(await (await visitor.get('/me')).json()).toEqual({ username: 'ada@acme.example', isToken: true });
  });

  it('is refused by an app made today, since it sends no PKCE', async () => {
    const scene = await startProgram(client, { name: 'passport-forcedotcom', app: 'current' });
    await scene.program.next();
    const visitor = new Visitor(scene);

    const login = (await visitor.get('/login')).headers.get('location')!;
    const refusal = await fetch(login, { redirect: 'manual' });

    expect(refusal.headers.get('location')).toContain('error_description=missing+required+code+challenge');
  });
}
