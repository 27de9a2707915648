import { fileURLToPath } from 'node:url';

/** The absolute path of a path in the repository. */
export const fromRoot = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
