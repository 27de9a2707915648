/**
 * What the routes of a login do. `login-routes.ts` loads it at the first login: an application serves most requests without it,
 * and starts sooner.
 */
export { endLogin } from './callback-route';
export { logInWithCredentials } from './credentials-login';
export { startLogin } from './login-route';
export { showPicker } from './organization-picker';
