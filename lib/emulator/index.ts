/**
 * An offline Salesforce for tests and for trying things out.
 *
 * @packageDocumentation
 */
export { startEmulator } from './emulator';
export type { Emulator, EmulatorOptions, FaultControl } from './emulator';
export type { EmulatorClock } from './clock';
export type { FaultHandle, FaultInjection, FaultKind, FaultOperation } from './faults/types';
export type { RecordedRequest } from './http/exchange';
export type { AppLogin, AppUnderTest } from './app-login';
export type { EmulatorUser, NewUser } from './org/users';
export type { AppAge, ClientPolicy } from './policy';
export type { CookieJar, ScriptedLogin } from './scripted-login';
export type { ClientRegistration, EmulatorClient } from './state/clients';
export type { TokenFilter } from './state/token-filter';
export type { Jwk } from '../client-authentication/jwk';
export type { Violation } from './state/violations';
