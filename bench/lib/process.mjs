/** Calls functions of child processes: `serve()` in the child, `startProcess()` in the parent. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Answers calls of the parent with the functions of an object. Ends when the parent ends. */
export function serve(functions) {
  process.on('message', async ({ id, name, given }) => {
    try {
      process.send({ id, result: await functions[name](...given) });
    } catch (error) {
      process.send({ id, error: String(error?.stack ?? error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ id: 0 });
}

/**
 * Starts a module as a process. `call` calls one of its functions. `cpu` pins the process to a processor, if the system can
 * do that.
 */
export async function startProcess(path, { args = [], execArgv = [], execPath = process.execPath } = {}) {
  const child = fork(path, args, {
    execPath,
    execArgv,
    serialization: 'advanced',
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const waiting = new Map();
  let lastId = 0;
  child.on('message', ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error === undefined) resolve?.(result);
    else reject?.(new Error(error));
  });
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${path} ended with ${code ?? signal}.`));
    waiting.clear();
  });
  const ready = new Promise((resolve, reject) => waiting.set(0, { resolve, reject }));
  await ready;
  return {
    pid: child.pid,
    call: (name, ...given) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        child.send({ id, name, given });
      }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
