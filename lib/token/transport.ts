import type * as OAuth from 'oauth4webapi';
import { loaded } from '../loaded';
import { isLoopback } from '../salesforce/hosts';

/** Options that have oauth4webapi send a request by a function of ours. http is for hosts of this machine alone. */
export interface Transport<Send> {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- its author marks it so that it stands out
  [OAuth.allowInsecureRequests]: boolean;
  [OAuth.customFetch]: Send;
}

/** @param oauth the library, which is loaded at the first request */
export function transportOf<Send>(oauth: typeof OAuth, issuer: string, send: Send): Transport<Send> {
  return {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- its author marks it so that it stands out
    [oauth.allowInsecureRequests]: isLoopback(new URL(issuer)),
    [oauth.customFetch]: send,
  };
}

/** Loads what a refresh needs. A library that cannot be loaded once a refresh token was claimed would leave the grant in doubt. */
export async function loadLibraries(): Promise<void> {
  await loaded(() => Promise.all([import('oauth4webapi'), import('jose')]));
}
