import { createHash, randomBytes } from 'node:crypto';
import type { Emulator, EmulatorClient } from '../../lib/emulator';
import { logInAtEmulator } from '../helpers/emulator';

/** Tokens as an application has them that logs its users in by hand. */
export interface TokensByHand {
  accessToken: string;
  refreshToken: string;
}

/** A login by hand, without this package. */
export async function logInByHand(
  emulator: Emulator,
  client: EmulatorClient,
  { user = 0, scope = 'id api refresh_token' }: { user?: number; scope?: string } = {},
): Promise<TokensByHand> {
  const [redirectURI = ''] = client.callbackURLs;
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    ...{ response_type: 'code', client_id: client.clientID, redirect_uri: redirectURI, scope, prompt: 'login' },
    ...{ code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' },
  });
  const authorizeUrl = `${emulator.url}/services/oauth2/authorize?${query.toString()}`;
  const { username, password } = emulator.users[user]!;
  const callback = new URL(await logInAtEmulator({ authorizeUrl, username, password }));
  const body = new URLSearchParams({
    ...{ grant_type: 'authorization_code', code: callback.searchParams.get('code')!, code_verifier: verifier },
    ...{ redirect_uri: redirectURI, client_id: client.clientID },
    ...(client.clientSecret ? { client_secret: client.clientSecret } : {}),
  });
  const reply = await fetch(`${emulator.url}/services/oauth2/token`, { method: 'POST', body });
  const { access_token: accessToken, refresh_token: refreshToken } = (await reply.json()) as Record<string, string>;
  return { accessToken: accessToken!, refreshToken: refreshToken! };
}
