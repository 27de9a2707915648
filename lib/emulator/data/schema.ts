/** Types a field can have. */
type FieldType =
  'id' | 'string' | 'email' | 'double' | 'boolean' | 'date' | 'datetime' | 'reference' | 'int' | 'base64';

/** A field of an object. */
export interface FieldDefinition {
  name: string;
  label: string;
  type: FieldType;
  /** Whether a new record must have a value. */
  required?: boolean;
  /** Whether only Salesforce sets the field. */
  readOnly?: boolean;
  /** Whether the field is an external id: its values are unique, and records can be found by the field. */
  externalId?: boolean;
  /** The object to which a reference points. */
  referenceTo?: string;
}

/** An object of the emulated organizations. */
export interface ObjectDefinition {
  name: string;
  label: string;
  labelPlural: string;
  keyPrefix: string;
  /** Whether records can be created, changed and deleted through the API. */
  writable: boolean;
  fields: readonly FieldDefinition[];
}

const id: FieldDefinition = { name: 'Id', label: 'Record ID', type: 'id', readOnly: true };
const system: FieldDefinition[] = [
  { name: 'CreatedDate', label: 'Created Date', type: 'datetime', readOnly: true },
  { name: 'LastModifiedDate', label: 'Last Modified Date', type: 'datetime', readOnly: true },
  { name: 'OwnerId', label: 'Owner ID', type: 'reference', referenceTo: 'User' },
];

function text(name: string, label: string, more: Partial<FieldDefinition> = {}): FieldDefinition {
  return { name, label, type: 'string', ...more };
}

const externalId = text('ExternalId__c', 'External ID', { externalId: true });

/** All objects of the emulator. */
export const objects: readonly ObjectDefinition[] = [
  {
    name: 'Account',
    label: 'Account',
    labelPlural: 'Accounts',
    keyPrefix: '001',
    writable: true,
    fields: [
      id,
      text('Name', 'Account Name', { required: true }),
      text('Industry', 'Industry'),
      text('Type', 'Account Type'),
      text('Phone', 'Account Phone'),
      text('Website', 'Website'),
      text('BillingCity', 'Billing City'),
      { name: 'AnnualRevenue', label: 'Annual Revenue', type: 'double' },
      externalId,
      ...system,
    ],
  },
  {
    name: 'Contact',
    label: 'Contact',
    labelPlural: 'Contacts',
    keyPrefix: '003',
    writable: true,
    fields: [
      id,
      { name: 'AccountId', label: 'Account ID', type: 'reference', referenceTo: 'Account' },
      text('FirstName', 'First Name'),
      text('LastName', 'Last Name', { required: true }),
      text('Name', 'Full Name', { readOnly: true }),
      text('Email', 'Email', { type: 'email' }),
      text('Phone', 'Business Phone'),
      text('Title', 'Title'),
      externalId,
      ...system,
    ],
  },
  {
    name: 'User',
    label: 'User',
    labelPlural: 'Users',
    keyPrefix: '005',
    writable: false,
    fields: [
      id,
      text('Username', 'Username'),
      text('Name', 'Full Name'),
      text('FirstName', 'First Name'),
      text('LastName', 'Last Name'),
      text('Email', 'Email', { type: 'email' }),
      { name: 'IsActive', label: 'Active', type: 'boolean' },
    ],
  },
  {
    name: 'ContentVersion',
    label: 'Content Version',
    labelPlural: 'Content Versions',
    keyPrefix: '068',
    writable: false,
    fields: [
      id,
      text('Title', 'Title'),
      text('PathOnClient', 'Path On Client'),
      text('FileExtension', 'File Extension'),
      { name: 'ContentSize', label: 'Content Size', type: 'int' },
      { name: 'VersionData', label: 'Version Data', type: 'base64' },
    ],
  },
  {
    name: 'Organization',
    label: 'Organization',
    labelPlural: 'Organizations',
    keyPrefix: '00D',
    writable: false,
    fields: [
      id,
      text('Name', 'Name'),
      text('InstanceName', 'Instance Name'),
      { name: 'IsSandbox', label: 'Is Sandbox', type: 'boolean' },
      text('OrganizationType', 'Edition'),
      text('NamespacePrefix', 'Namespace Prefix'),
      { name: 'TrialExpirationDate', label: 'Trial Expiration Date', type: 'datetime' },
      text('LanguageLocaleKey', 'Language'),
      text('TimeZoneSidKey', 'Time Zone'),
    ],
  },
];

/** Finds an object by its name. The REST API compares names without case. */
export function findObject(name: string): ObjectDefinition | undefined {
  return objects.find((object) => object.name.toLowerCase() === name.toLowerCase());
}

export function findField(object: ObjectDefinition, name: string): FieldDefinition | undefined {
  return object.fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
}

/** The object whose ids begin with these three characters. */
export function findObjectByPrefix(prefix: string): ObjectDefinition | undefined {
  return objects.find(({ keyPrefix }) => keyPrefix === prefix);
}
