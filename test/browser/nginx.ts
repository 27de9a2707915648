import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { freePort, startProgram, stopProgram, temporaryFolder } from '../stores/servers/programs';

/** A real nginx in front of applications, by http and by https. */
export interface Nginx {
  stop: () => Promise<void>;
}

/** One for all tests of a file: to make a key takes a second. */
let certificate: ReturnType<typeof generate> | undefined;

/** Where an nginx will be, for applications that have to know their address when they start. */
export async function choosePorts(): Promise<Ports> {
  return { http: await freePort(), https: await freePort() };
}

interface Ports {
  http: number;
  https: number;
}

/**
 * Starts nginx.
 *
 * @param applications ports of the processes that it sends requests to, in turn, under the name `node`
 * @param location the configuration of its `location` blocks
 */
export async function startNginx(
  { http, https }: Ports,
  applications: readonly number[],
  location: string,
): Promise<Nginx> {
  const folder = temporaryFolder();
  certificate ??= generate([{ name: 'commonName', value: 'app.test' }]);
  const { private: key, cert } = await certificate;
  const inFolder = (name: string): string => join(folder.path, name);
  writeFileSync(inFolder('key.pem'), key);
  writeFileSync(inFolder('cert.pem'), cert);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    inFolder('nginx.conf'),
    `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${inFolder('pid')};
error_log stderr notice;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${inFolder(name)};`).join('\n  ')}
  upstream node { ${applications.map((port) => `server 127.0.0.1:${port};`).join(' ')} }
  server {
    listen 127.0.0.1:${http};
    listen 127.0.0.1:${https} ssl;
    ssl_certificate ${inFolder('cert.pem')};
    ssl_certificate_key ${inFolder('key.pem')};
    ${location}
  }
}
`,
  );
  const { program } = await startProgram(
    process.env['NGINX_PATH'] ?? 'nginx',
    ['-e', 'stderr', '-p', folder.path, '-c', inFolder('nginx.conf')],
    { ready: /start worker process \d/, missing: 'These tests need nginx (Debian: apt-get install nginx-light).' },
  );
  return {
    stop: async () => {
      await stopProgram(program);
      folder.remove();
    },
  };
}
