import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { Addresses, type PublicUrl } from '../../lib/address';
import { KeyRing } from '../../lib/crypto/key-ring';
import type { Emulator } from '../../lib/emulator';
import { begin, type Beginning, type BeginOptions, type LoginContext } from '../../lib/login/begin';
import { LoginClaims, ProcessClaims } from '../../lib/login/claims';
import { LoginMoves } from '../../lib/login/move';
import { Transactions } from '../../lib/login/transactions';
import { parseConfiguration, type ClientOptions, type Configuration } from '../../lib/options/configuration';
import { ConfigurationSource, type ConfigurationFunction } from '../../lib/options/source';
import type { TokenSet } from '../../lib/token/types';
import { ManualClock } from '../helpers/clock';
import { requestOf } from '../helpers/request';

export const callbackURL = 'http://localhost:3000/auth/callback';
const atHome = { host: 'localhost:3000' };

/** The parts of the package that one login needs, without middleware and store, for a client of the emulator. */
export function startLogins(
  emulator: Emulator,
  options: Partial<ClientOptions> = {},
  given: Partial<LoginContext> & { configure?: ConfigurationFunction; publicUrl?: PublicUrl } = {},
) {
  const { configure, publicUrl, ...parts } = given;
  const { clientID, clientSecret } = emulator.registerClient({
    callbackURLs: [callbackURL],
    ...(options.clientSecret === undefined && 'clientSecret' in options ? { clientSecret: false } : {}),
  });
  const client: ClientOptions = {
    ...{ clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope: ['openid', 'id', 'api', 'refresh_token'] },
    ...options,
  };
  const configuration: Configuration = parseConfiguration(client);
  const clock = new ManualClock();
  const keys = new KeyRing([randomBytes(32)], 'transaction');
  const abandoned: TokenSet[] = [];
  const warnings: string[][] = [];
  const context: LoginContext = {
    source: new ConfigurationSource(configure ?? configuration),
    addresses: new Addresses(publicUrl, configuration.callbackURL),
    transactions: new Transactions(keys, clock),
    moves: new LoginMoves(keys, clock),
    claims: new LoginClaims(new ProcessClaims(clock), keys, { clock, waitMs: 0 }),
    clock,
    defaultCallback: undefined,
    tenant: undefined,
    onAbandoned: (tokens) => void abandoned.push(tokens),
    warn: (...warning) => void warnings.push(warning),
    ...parts,
  };
  return {
    ...{ client, configuration, clock, context, abandoned, warnings },
    begin: async (call: BeginOptions = {}, req?: Request): Promise<Beginning> =>
      begin(req ?? (await requestOf('/login', { headers: atHome })), call, context),
    /** The request of the callback that a login leads to, after the user has logged in at the emulator. */
    callbackOf: async (
      { redirectTo, cookies }: Beginning,
      { decision, change = {} }: { decision?: 'allow' | 'deny'; change?: Record<string, string | undefined> } = {},
    ): Promise<Request> => {
      const url = new URL(await emulator.logIn({ authorizeUrl: redirectTo, decision }));
      for (const [name, value] of Object.entries(change)) {
        if (value === undefined) url.searchParams.delete(name);
        else url.searchParams.set(name, value);
      }
      const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
      return requestOf(url.pathname + url.search, { headers: { ...atHome, cookie } });
    },
  };
}
