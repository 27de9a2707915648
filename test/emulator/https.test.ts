import { X509Certificate } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { Emulator } from '../../lib/emulator';
import { createCertificate } from '../../lib/emulator/http/certificate';
import { defaultCallbackURL, startTestEmulator } from '../helpers/emulator';
import { authorizeUrl } from './support';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startTestEmulator({ https: true });
});

/** Runs a line of JavaScript in a Node of its own, since a running one reads no further certificates. */
async function runInNode(code: string, env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return output;
}

describe('an emulator with TLS', () => {
  it('says https in all its URLs', async () => {
    const code = `const reply = await fetch('${emulator.url}/.well-known/openid-configuration');
      console.log(JSON.stringify(await reply.json()));`;
    const folder = mkdtempSync(join(tmpdir(), 'https-test-'));
    writeFileSync(join(folder, 'certificate.pem'), emulator.certificate!);
    try {
      const document = JSON.parse(
        await runInNode(code, { NODE_EXTRA_CA_CERTS: join(folder, 'certificate.pem') }),
      ) as Record<string, unknown>;

      expect(document).toMatchObject({
        issuer: emulator.url,
        token_endpoint: `${emulator.url}/services/oauth2/token`,
      });
      expect([emulator.url, emulator.myDomainUrl, emulator.siteUrl].map((url) => new URL(url).protocol)).toEqual(
        Array(3).fill('https:'),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is not trusted by default', async () => {
    await expect(fetch(emulator.url)).rejects.toMatchObject({ cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
  });

  it.each(['localhost', '127.0.0.1', '::1'])('has a certificate for %s', async (host) => {
    const { port } = new URL(emulator.url);
    const socket = connect({ host, port: Number(port), servername: '', ca: emulator.certificate! });
    await once(socket, 'secureConnect');

    expect(socket.authorized).toBe(true);
    socket.destroy();
  });

  it('does not ask browsers for https at every port of localhost', async () => {
    const [reply] = (await once(get(emulator.url, { ca: emulator.certificate }), 'response')) as [IncomingMessage];
    reply.resume();

    expect(reply.statusCode).toBe(200);
    expect(reply.headers).not.toHaveProperty('strict-transport-security');
  });

  it('walks a login over TLS', async () => {
    const callback = new URL(await emulator.logIn({ authorizeUrl: authorizeUrl(emulator) }));

    expect(callback.href).toContain(defaultCallbackURL);
    expect(callback.searchParams.get('code')).toMatch(/^aPrx.*==$/);
  });

  it('logs in to an application that is served without TLS', async () => {
    const app = createServer((req, res) => {
      const isCallback = req.url!.startsWith('/auth/salesforce/callback');
      res.writeHead(302, {
        location: isCallback ? '/' : authorizeUrl(emulator),
        ...(isCallback ? { 'set-cookie': ['session=1; Path=/', 'second=2'] } : {}),
      });
      res.end();
    }).listen(0);
    await once(app, 'listening');
    const { port } = app.address() as { port: number };

    expect(await emulator.logInTo(`http://localhost:${port}`)).toBe('session=1; second=2');
    app.close();
  });

  it('has no certificate without TLS', async () => {
    expect((await startTestEmulator()).certificate).toBeUndefined();
  });
});

describe('createCertificate', () => {
  it('has the given names, is valid for some weeks, and differs each time', () => {
    const names = ['emulator.test', '10.0.0.7', '2001:db8::5:1', '::1'];
    const [one, two] = [createCertificate(names), createCertificate(names)].map(
      ({ certificate }) => new X509Certificate(certificate),
    );
    const days = (Date.parse(one!.validTo) - Date.now()) / 86_400_000;

    expect(one!.subjectAltName).toBe(
      'DNS:emulator.test, IP Address:10.0.0.7, IP Address:2001:DB8:0:0:0:0:5:1, IP Address:0:0:0:0:0:0:0:1',
    );
    expect(one!.verify(one!.publicKey)).toBe(true);
    expect(one!.ca).toBe(true);
    expect(one!.checkHost('emulator.test')).toBe('emulator.test');
    expect(one!.serialNumber).not.toBe(two!.serialNumber);
    expect(Date.parse(one!.validFrom)).toBeLessThan(Date.now());
    expect(days).toBeGreaterThan(80);
    expect(days).toBeLessThan(100);
  });
});
