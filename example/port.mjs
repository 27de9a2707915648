// @ts-check

/** The port that the environment names. 0 takes any free port. */
export function portFromEnv() {
  const port = process.env.PORT || '3000';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw new Error(`PORT is not a port number: ${port}`);
  return Number(port);
}

/**
 * What the person who starts the example reads if the example cannot start.
 *
 * @param {unknown} error
 * @param {string} command the command that starts the example
 */
export function explainStart(error, command) {
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
  const port = process.env.PORT || '3000';
  if (code === 'EADDRINUSE') return `Port ${port} is in use. Choose another, for instance: PORT=3001 ${command}`;
  if (code === 'EACCES') return `Port ${port} may not be used by this user. Choose another: PORT=3001 ${command}`;
  return message;
}
