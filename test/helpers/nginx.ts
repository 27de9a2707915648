import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onFreePort, startProgram, stopProgram, temporaryFolder, type RunningServer } from '../stores/servers/programs';

const missing =
  'This test needs a real nginx. Install it (Debian: apt-get install nginx-light; macOS: brew install nginx), or set NGINX_PATH.';

/** A running nginx whose upstream can be changed, as an operator does it: with an edit and a reload. */
export interface Nginx extends RunningServer {
  use: (upstream: readonly number[]) => Promise<void>;
}

/** An nginx on a port of its own before servers on this machine, set up as docs/guide/deployment.md has it. */
export function startNginx(upstream: readonly number[]): Promise<Nginx> {
  return onFreePort((port) => startAt(port, upstream));
}

async function startAt(port: number, upstream: readonly number[]): Promise<Nginx> {
  const folder = temporaryFolder();
  const settings = join(folder.path, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const write = (targets: readonly number[]): void =>
    writeFileSync(
      settings,
      `daemon off;
pid ${folder.path}/nginx.pid;
error_log stderr notice;
worker_processes 1;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder.path}/${name};`).join('\n  ')}
  upstream app {
    ${targets.map((target) => `server 127.0.0.1:${target} max_fails=0;`).join('\n    ')}
    keepalive 16;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
    }
  }
}
`,
    );
  write(upstream);
  try {
    const { program, output } = await startProgram(
      process.env['NGINX_PATH'] ?? 'nginx',
      ['-p', folder.path, '-c', settings],
      {
        ready: /start worker process \d/,
        missing,
      },
    );
    return {
      url: `http://localhost:${port}`,
      use: async (targets) => {
        const heard = output().length;
        write(targets);
        program.kill('SIGHUP');
        // The workers with the former settings end when their requests are answered.
        while (!/worker process \d+ exited/.test(output().slice(heard)))
          await new Promise((resolve) => setTimeout(resolve, 20));
      },
      stop: async () => {
        await stopProgram(program);
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}
