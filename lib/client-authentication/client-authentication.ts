import type { ClientAuth } from 'oauth4webapi';
import { BoundedMap } from '../bounded-map';
import { parseJsonObject } from '../json-object';
import { loaded } from '../loaded';
import { classify } from '../salesforce-errors/classify';
import { meanings } from '../salesforce-errors/meanings';
import type { Clock } from '../clock';
import { keyOfClient, type Configuration } from '../options/configuration';
import type { SigningKey } from './client-key';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** How long the key that Salesforce took goes first. A new key can take ten minutes to work after its upload. */
const preferMs = 10 * 60 * 1000;

/** The key Salesforce took last, for each client with two keys, by tenant and client id. */
const maxClients = 1_000;
const taken = new BoundedMap<string, { name: string; at: number }>(maxClients);

/** One way for a client to prove itself. */
export interface Proof {
  readonly auth: ClientAuth;
  /** Notes that Salesforce took it. */
  readonly wasTaken: () => void;
}

/** Whether the client can prove itself; Salesforce tells a public client nothing about its tokens. */
export function isConfidential({ clientAuthentication }: Configuration): boolean {
  return clientAuthentication !== 'none';
}

/** Ways for the client to prove itself, in the order they are tried. There are two only while its key is changed. */
export function proofsOf(configuration: Configuration, clock: Clock): readonly Proof[] {
  if (configuration.clientKeys.length > 0) {
    return keysInOrder(configuration, clock).map((key) => proofBy(key, configuration, clock));
  }
  return [{ auth: bySecret(configuration), wasTaken: () => undefined }];
}

function bySecret({ clientSecret, clientAuthentication }: Configuration): ClientAuth {
  return async (...request) => {
    const { ClientSecretBasic, ClientSecretPost, None } = await import('oauth4webapi');
    if (clientSecret === undefined) return None()(...request);
    const prove = clientAuthentication === 'client_secret_basic' ? ClientSecretBasic : ClientSecretPost;
    return prove(clientSecret)(...request);
  };
}

/** `private_key_jwt` (OpenID Connect Core, section 9; RFC 7523, section 2.2). */
function proofBy(key: SigningKey, configuration: Configuration, clock: Clock): Proof {
  const { httpTimeoutMs } = configuration;
  return {
    auth: async ({ token_endpoint: tokenEndpoint = '' }, client, body) => {
      const { signClaims } = await loaded(() => import('./signed-claims'));
      const claims = { iss: client.client_id, sub: client.client_id, aud: key.audience ?? tokenEndpoint };
      body.set('client_id', client.client_id);
      body.set('client_assertion_type', assertionType);
      body.set('client_assertion', await signClaims(claims, key, { clock, limitMs: httpTimeoutMs }));
    },
    wasTaken: () => {
      noteTaken(key, configuration, clock);
    },
  };
}

/** Notes that Salesforce took what a key has signed. */
export function noteTaken(key: SigningKey, configuration: Configuration, clock: Clock): void {
  if (configuration.clientKeys.length < 2) return;
  taken.set(keyOfClient(configuration), { name: key.name, at: clock.monotonic() });
}

/** Keys of a client in the order in which they are tried. */
export function keysInOrder(configuration: Configuration, clock: Clock): readonly SigningKey[] {
  const { clientKeys } = configuration;
  const last = taken.get(keyOfClient(configuration));
  if (!last || clock.monotonic() - last.at >= preferMs) return clientKeys;
  return [...clientKeys].sort((one, other) => Number(other.name === last.name) - Number(one.name === last.name));
}

/**
 * Whether a reply says that the client did not prove itself. Salesforce has not looked at the code or token beside the proof
 * then, so that the same request may be sent with another key.
 */
export function isClientRefused({ status, text }: { status: number; text: string }): boolean {
  if (status !== 400 && status !== 401) return false;
  const { error, errorDescription } = saidIn(text);
  return classify('code', { error, errorDescription, status }) === meanings.wrongClient;
}

/** Most endpoints answer with JSON, the one for revocation with a form. */
function saidIn(text: string): { error: string; errorDescription: string | undefined } {
  const fields = parseJsonObject(text) ?? Object.fromEntries(new URLSearchParams(text));
  const { error, error_description: description } = fields;
  return { error: String(error), errorDescription: typeof description === 'string' ? description : undefined };
}
