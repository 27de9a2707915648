import { resolve } from 'node:path';

/** The built package. Importing this file makes jest's setup see to a fresh build, if it must, before the tests run. */
export const dist: string = resolve(__dirname, '../../dist');
