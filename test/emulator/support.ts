import { createHash, randomBytes } from 'node:crypto';
import type { Emulator, EmulatorClient, EmulatorUser } from '../../lib/emulator';
import { defaultCallbackURL, logInAtEmulator, type CookieJar } from '../helpers/emulator';

/** An OAuth client in its simplest form, so that these tests depend on nothing but HTTP. */
export interface Login {
  user?: EmulatorUser;
  client?: EmulatorClient;
  /** What differs from a usual request; a parameter that is undefined is left out. */
  params?: Record<string, string | undefined>;
  cookies?: CookieJar;
  decision?: 'allow' | 'deny';
  /** Default: the emulator's url. */
  base?: string;
}

/** A JSON reply of any endpoint; members that tests pass on have their type. */
export interface Json {
  access_token: string;
  refresh_token: string;
  id_token: string;
  id: string;
  jwks_uri: string;
  nextRecordsUrl: string;
  kid: string;
  /** Of a record. */
  Id: string;
  attributes: { url: string };
  keys: Json[];
  records: Json[];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the rest is only compared
  [name: string]: any;
}

export const pkce = (() => {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
})();

export function authorizeUrl(emulator: Emulator, { client, params, base }: Login = {}): string {
  const query = new URLSearchParams(
    given({
      response_type: 'code',
      client_id: (client ?? emulator.clients[0]!).clientID,
      redirect_uri: defaultCallbackURL,
      state: 'the state',
      code_challenge: pkce.challenge,
      ...params,
    }),
  );
  return `${base ?? emulator.url}/services/oauth2/authorize?${query.toString()}`;
}

function given(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Logs in and returns the parameters of the callback. */
export async function authorize(emulator: Emulator, login: Login = {}): Promise<URLSearchParams> {
  const { username, password } = login.user ?? emulator.users[0]!;
  const url = await logInAtEmulator({
    authorizeUrl: authorizeUrl(emulator, login),
    username,
    password,
    decision: login.decision,
    cookies: login.cookies,
  });
  expect(url.startsWith(`${defaultCallbackURL}?`)).toBe(true);
  return new URL(url).searchParams;
}

/** Posts a form and reads the reply in every way. */
export async function post(
  url: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; text: string; json: Json }> {
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers,
    redirect: 'manual',
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

export async function get(
  url: string,
  accessToken?: string,
  init: RequestInit = {},
): Promise<{ status: number; headers: Headers; text: string; json: Json }> {
  const headers = new Headers(init.headers);
  if (accessToken) headers.set('authorization', `Bearer ${accessToken}`);
  const response = await fetch(url, { redirect: 'manual', ...init, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

export function credentials(client: EmulatorClient): Record<string, string> {
  return { client_id: client.clientID, ...(client.clientSecret ? { client_secret: client.clientSecret } : {}) };
}

export function exchangeCode(
  emulator: Emulator,
  code: string,
  form: Record<string, string | undefined> = {},
): ReturnType<typeof post> {
  return post(`${emulator.url}/services/oauth2/token`, given({ ...defaultForm(emulator, code), ...form }));
}

/** What the first client sends to exchange a code. */
export function defaultForm(emulator: Emulator, code: string): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    code,
    redirect_uri: defaultCallbackURL,
    code_verifier: pkce.verifier,
    ...credentials(emulator.clients[0]!),
  };
}

/** Logs in to the end and returns the token reply. */
export async function logIn(emulator: Emulator, login: Login = {}): Promise<Json> {
  const code = (await authorize(emulator, login)).get('code')!;
  const reply = await exchangeCode(emulator, code, credentials(login.client ?? emulator.clients[0]!));
  expect(reply.status).toBe(200);
  return reply.json;
}

export function refresh(
  emulator: Emulator,
  refreshToken: string,
  form: Record<string, string> = {},
): ReturnType<typeof post> {
  return post(`${emulator.url}/services/oauth2/token`, {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    ...credentials(emulator.clients[0]!),
    ...form,
  });
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {} as Json;
  }
}
