import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp } from '../helpers/app';

async function connected() {
  const emulator = await startTestEmulator();
  const started = await startApp({ emulator, policy: { rotateRefreshTokens: true } });
  const tab = started.browser();
  await logIn(tab, emulator);
  const { grantId } = (await tab.get('/me')).body as { grantId: string };
  const client = await started.salesforce.tokens.get(grantId);
  return { ...started, emulator, client, grantId };
}

describe('connection()', () => {
  it('queries, creates and deletes through jsforce', async () => {
    const { client } = await connected();
    const connection = await client.connection({ version: '62.0' });

    const created = await connection.sobject('Account').create({ Name: 'Fake & Daughters' });
    const found = await connection.query("SELECT Id, Name FROM Account WHERE Name = 'Fake & Daughters'");
    const removed = await connection.sobject('Account').destroy(created.id!);

    expect(connection.version).toBe('62.0');
    expect(found.totalSize).toBe(1);
    expect(removed.success).toBe(true);
  });

  it('survives many expiries with rotation on, on one connection', async () => {
    const { client, emulator } = await connected();
    const connection = await client.connection();

    for (let round = 0; round < 10; round++) {
      emulator.expireAccessTokens();
      expect((await connection.query('SELECT Id FROM Account')).totalSize).toBeGreaterThan(0);
    }

    expect([...emulator.presentations.values()].every((count) => count === 1)).toBe(true);
  });

  it('shares one refresh among a connection per request, as Express applications open them', async () => {
    const { emulator, salesforce, grantId } = await connected();
    const connections = await Promise.all(
      Array.from({ length: 20 }, async () => (await salesforce.tokens.get(grantId)).connection()),
    );
    emulator.expireAccessTokens();

    const totals = await Promise.all(
      connections.map(async (one) => (await one.query('SELECT Id FROM Account')).totalSize),
    );

    expect(totals.every((total) => total > 0)).toBe(true);
    expect([...emulator.presentations.values()]).toEqual([1]);
  });

  it('does not go round for ever where every token is refused', async () => {
    const { client, emulator } = await connected();
    const connection = await client.connection();
    emulator.faults.inject({
      on: 'data',
      kind: 'error',
      error: 'INVALID_SESSION_ID',
      errorDescription: 'Session expired or invalid',
      status: 401,
      times: Infinity,
    });

    await expect(connection.query('SELECT Id FROM Account')).rejects.toThrow('refuses new access tokens');
    expect(emulator.presentations.size).toBeLessThanOrEqual(2);
  });

  it('follows the organization to another instance', async () => {
    const { client, emulator } = await connected();
    const connection = await client.connection();
    const moved = emulator.moveInstance();

    await expect(connection.query('SELECT Id FROM Account')).rejects.toThrow('Repeat the call');

    expect(emulator.presentations.size).toBe(1);
    expect(connection.instanceUrl).toBe(moved);
    expect((await connection.query('SELECT Id FROM Account')).totalSize).toBeGreaterThan(0);
  });
});
