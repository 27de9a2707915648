import { invalid } from '../../options/check';
import { createId } from './ids';

/** A user who can log in. Fields may be changed while the emulator runs. A user with `active: false` cannot log in. */
export interface EmulatorUser {
  username: string;
  /** A fake password, which the login page shows. */
  password: string;
  /** 18 characters. */
  userId: string;
  /** 18 characters. */
  organizationId: string;
  displayName: string;
  firstName: string;
  lastName: string;
  email: string;
  emailVerified: boolean;
  language: string;
  locale: string;
  timezone: string;
  active: boolean;
  /** Whether the user may use only the API and no page of Salesforce. Default false. */
  apiOnly: boolean;
}

/** An organization. The first organization has the Experience Cloud site. */
export interface EmulatorOrganization {
  /** 18 characters. */
  organizationId: string;
  name: string;
}

/** Two organizations, so that a test can check that data and tokens of one do not reach the other. */
export function createOrganizations(): EmulatorOrganization[] {
  return [
    { organizationId: createId('00D', 1), name: 'Acme Fake Org' },
    { organizationId: createId('00D', 2), name: 'Globex Fake Org' },
  ];
}

/** Two users in the first organization, one in the second. */
export function createUsers(organizations: readonly EmulatorOrganization[]): EmulatorUser[] {
  const [first, second] = organizations.map(({ organizationId }) => organizationId);
  return [
    createUser(1, first ?? '', 'Ada', 'Fake', 'ada@acme.example'),
    createUser(2, first ?? '', 'Grace', 'Fake', 'grace@acme.example'),
    createUser(3, second ?? '', 'Linus', 'Fake', 'linus@globex.example'),
  ];
}

/** A user to add. The emulator makes up missing fields. */
export type NewUser = Partial<Omit<EmulatorUser, 'userId'>>;

/**
 * Adds a user to an organization, by default the first.
 *
 * @throws RangeError if the organization does not exist
 * @throws SalesforceOptionError if the username is taken. At Salesforce, a username is unique among all organizations
 */
export function addUser(
  { users, organizations }: { users: EmulatorUser[]; organizations: readonly EmulatorOrganization[] },
  given: NewUser,
): EmulatorUser {
  const number = users.length + 1;
  const organizationId = given.organizationId ?? organizations[0]?.organizationId ?? '';
  if (!organizations.some((known) => known.organizationId === organizationId)) {
    throw new RangeError(`The emulator has no organization ${organizationId}.`);
  }
  const isTaken = (name: string): boolean => users.some(({ username: known }) => known === name);
  if (given.username !== undefined && isTaken(given.username)) {
    throw invalid('username', `a username of no other user; "${given.username}" is taken`);
  }
  const username = given.username ?? freeUsername(number, isTaken);
  const user = { ...createUser(number, organizationId, 'User', `Fake ${number}`, username), ...given };
  users.push(user);
  return user;
}

function freeUsername(number: number, isTaken: (name: string) => boolean): string {
  const username = `user${number}@acme.example`;
  return isTaken(username) ? freeUsername(number + 1, isTaken) : username;
}

function createUser(
  number: number,
  organizationId: string,
  firstName: string,
  lastName: string,
  email: string,
): EmulatorUser {
  return {
    username: email,
    password: `__fake_password_${number}__`,
    userId: createId('005', number),
    organizationId,
    displayName: `${firstName} ${lastName}`,
    firstName,
    lastName,
    email,
    emailVerified: true,
    language: 'en_US',
    locale: 'en_US',
    timezone: 'Europe/Paris',
    active: true,
    apiOnly: false,
  };
}
