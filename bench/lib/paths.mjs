import { fileURLToPath } from 'node:url';

/** A path below the root of the repository, wherever the command is run from. */
export const fromRoot = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
