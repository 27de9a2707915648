import type { EmulatorClock } from '../clock';
import type { EmulatorOrganization, EmulatorUser } from '../org/users';
import type { ObjectDefinition } from './schema';

export type FieldValue = string | number | boolean | null;

/** A record. It has every field of its object. An empty field is null. */
export type DataRecord = Record<string, FieldValue>;

/** The time in the format of the REST API. */
export function datetime(clock: EmulatorClock): string {
  return new Date(clock.now()).toISOString().replace('Z', '+0000');
}

/** Sets the full name of a contact from its parts. */
export function setName(object: ObjectDefinition, record: DataRecord): DataRecord {
  if (object.name === 'Contact') {
    record['Name'] = [record['FirstName'], record['LastName']].filter((part) => part !== null).join(' ');
  }
  return record;
}

/** The record of an organization. */
export function organizationRecord({ organizationId, name }: EmulatorOrganization): DataRecord {
  return {
    Id: organizationId,
    Name: name,
    InstanceName: 'FAKE0',
    IsSandbox: false,
    OrganizationType: 'Developer Edition',
    NamespacePrefix: null,
    TrialExpirationDate: null,
    LanguageLocaleKey: 'en_US',
    TimeZoneSidKey: 'Europe/Paris',
  };
}

/** The record of a user. */
export function userRecord(user: EmulatorUser): DataRecord {
  return {
    Id: user.userId,
    Username: user.username,
    Name: user.displayName,
    FirstName: user.firstName,
    LastName: user.lastName,
    Email: user.email,
    IsActive: user.active,
  };
}
