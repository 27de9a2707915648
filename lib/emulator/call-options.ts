import { parsePart } from '../options/names';
import { appLoginOptions, loginOptions, newUserOptions, tokenFilterOptions } from '../options/parts/emulator-calls';
import type { Part } from '../options/spec';
import type { AppLogin } from './app-login';
import type { EmulatorUser, NewUser } from './org/users';
import type { ScriptedLogin } from './scripted-login';
import type { TokenFilter } from './state/token-filter';

/*
 * The options of calls of a running emulator. An option that does not exist is an error: without its misspelt filter, a call
 * would end the tokens of every user.
 */

/** The given fields of a user. @throws SalesforceOptionError for a field that does not exist, or a wrong value */
export function checkedUser(user: NewUser): NewUser {
  const fields = Object.entries(parsePart(newUserOptions, user, 'addUser()'));
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** @throws SalesforceOptionError for an option that does not exist, or a wrong value */
export function checkedFilter(filter: TokenFilter, what: string): TokenFilter {
  return parsePart(tokenFilterOptions, filter, what);
}

/** A login with its defaults: the first user. @throws SalesforceOptionError as {@link checkedFilter} */
export function checkedLogin(
  login: Pick<ScriptedLogin, 'authorizeUrl'> & Partial<ScriptedLogin>,
  users: readonly EmulatorUser[],
): ScriptedLogin {
  const parsed = parsePart(loginOptions, withoutOwnFields(login, users, loginOptions), 'logIn()');
  return { ...parsed, ...credentialsOf(parsed, users) };
}

/** The same for a login that begins at an app. @throws SalesforceOptionError as {@link checkedFilter} */
export function checkedAppLogin(
  login: AppLogin,
  users: readonly EmulatorUser[],
): AppLogin & Pick<ScriptedLogin, 'username' | 'password'> {
  const parsed = parsePart(appLoginOptions, withoutOwnFields(login, users, appLoginOptions), 'logInTo()');
  return { ...parsed, ...credentialsOf(parsed, users) };
}

/** A test may pass a whole user as the login. Fields with which that user is described are no options. */
function withoutOwnFields(login: AppLogin | null, users: readonly EmulatorUser[], options: Part): object {
  const user = users.find(({ username }) => username === login?.username) as
    Partial<Record<string, unknown>> | undefined;
  if (!user) return login as object;
  const isOption = ([name, value]: [string, unknown]): boolean => Object.hasOwn(options, name) || user[name] !== value;
  return Object.fromEntries(Object.entries(login ?? {}).filter(isOption));
}

function credentialsOf(
  { username, password }: { username: string | undefined; password: string | undefined },
  users: readonly EmulatorUser[],
): { username: string; password: string } {
  const user = users.find((known) => known.username === username) ?? users[0];
  return { username: username ?? user?.username ?? '', password: password ?? user?.password ?? '' };
}
