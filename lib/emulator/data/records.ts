import type { EmulatorClock } from '../clock';
import { createId, toId18 } from '../org/ids';
import type { EmulatorOrganization, EmulatorUser } from '../org/users';
import { DataError, notFound } from './errors';
import { fileRecord } from './files';
import { datetime, organizationRecord, setName, userRecord, type DataRecord, type FieldValue } from './record';
import { findField, findObject, type FieldDefinition, type ObjectDefinition } from './schema';
import { accountSeeds, contactSeeds } from './seed';

/** The records of all organizations. A caller cannot see that records of other organizations exist. */
export class RecordStore {
  readonly #clock: EmulatorClock;
  readonly #users: readonly EmulatorUser[];
  readonly #organizations: readonly EmulatorOrganization[];
  /** `organizationId objectName` → records by id. */
  readonly #tables = new Map<string, Map<string, DataRecord>>();
  readonly #deleted = new Set<string>();
  #lastNumber = 0;

  constructor(clock: EmulatorClock, users: readonly EmulatorUser[], organizations: readonly EmulatorOrganization[]) {
    this.#clock = clock;
    this.#users = users;
    this.#organizations = organizations;
    for (const [index, { organizationId, name }] of organizations.entries()) {
      const owner = users.find((user) => user.organizationId === organizationId)?.userId ?? '';
      const accountIds = accountSeeds(index === 0 ? '' : name).map((seed) =>
        this.create(organizationId, owner, 'Account', seed),
      );
      for (const { account, fields } of contactSeeds()) {
        this.create(organizationId, owner, 'Contact', { ...fields, AccountId: accountIds[account] ?? null });
      }
    }
  }

  /** All records of an object, oldest first. */
  all(organizationId: string, object: ObjectDefinition): DataRecord[] {
    if (object.name === 'User') {
      return this.#users.filter((user) => user.organizationId === organizationId).map(userRecord);
    }
    if (object.name === 'Organization') {
      return this.#organizations
        .filter((organization) => organization.organizationId === organizationId)
        .map(organizationRecord);
    }
    if (object.name === 'ContentVersion') {
      const index = this.#organizations.findIndex((organization) => organization.organizationId === organizationId);
      return [fileRecord(index + 1)];
    }
    return [...this.#table(organizationId, object).values()];
  }

  /** Remembers all records. @returns a function that undoes every later change */
  mark(): () => void {
    const tables = [...this.#tables].map(
      ([key, table]) => [key, [...table].map(([id, record]) => [id, { ...record }] as const)] as const,
    );
    const deleted = [...this.#deleted];
    return () => {
      for (const key of this.#tables.keys()) this.#tables.set(key, new Map());
      for (const [key, records] of tables) this.#tables.set(key, new Map(records));
      this.#deleted.clear();
      for (const key of deleted) this.#deleted.add(key);
    };
  }

  /** @throws DataError NOT_FOUND */
  get(organizationId: string, object: ObjectDefinition, id: string): DataRecord {
    const record = this.all(organizationId, object).find((candidate) => candidate['Id'] === toId18(id));
    if (!record) throw notFound();
    return record;
  }

  /**
   * @returns the id of the new record. @throws DataError if a field is missing, unknown or read-only, or refers to no record
   */
  create(organizationId: string, ownerId: string, objectName: string, values: unknown): string {
    const object = findObject(objectName);
    if (!object?.writable) throw notFound();
    const given = this.#checked(organizationId, object, values);
    const missing = object.fields
      .filter((field) => field.required && (given[field.name] ?? '') === '')
      .map((field) => field.name);
    if (missing.length > 0) {
      throw new DataError(
        400,
        'REQUIRED_FIELD_MISSING',
        `Required fields are missing: [${missing.join(', ')}]`,
        missing,
      );
    }
    this.#assertUnique(organizationId, object, given, undefined);
    const id = createId(object.keyPrefix, ++this.#lastNumber);
    const now = datetime(this.#clock);
    const empty = Object.fromEntries(object.fields.map((field) => [field.name, null]));
    const record = { ...empty, OwnerId: ownerId, ...given, Id: id, CreatedDate: now, LastModifiedDate: now };
    this.#table(organizationId, object).set(id, setName(object, record));
    return id;
  }

  /** @throws DataError as {@link RecordStore.create}, and if the record does not exist */
  update(organizationId: string, object: ObjectDefinition, id: string, values: unknown): void {
    const record = this.#writableRecord(organizationId, object, id);
    const now = datetime(this.#clock);
    const given = this.#checked(organizationId, object, values);
    this.#assertUnique(organizationId, object, given, record);
    Object.assign(record, given, { LastModifiedDate: now });
    setName(object, record);
  }

  /** @throws DataError if the record does not exist */
  delete(organizationId: string, object: ObjectDefinition, id: string): void {
    const record = this.#writableRecord(organizationId, object, id);
    this.#table(organizationId, object).delete(String(record['Id']));
    this.#deleted.add(`${organizationId} ${String(record['Id'])}`);
  }

  /** Finds the record with this external id. If the field is `Id`, finds the record with this id. */
  findBy(
    organizationId: string,
    object: ObjectDefinition,
    { name }: FieldDefinition,
    value: string,
  ): DataRecord | undefined {
    const wanted = name === 'Id' ? toId18(value) : value.toLowerCase();
    return this.all(organizationId, object).find((record) => {
      const found = record[name];
      return typeof found === 'string' && (name === 'Id' ? found : found.toLowerCase()) === wanted;
    });
  }

  #assertUnique(
    organizationId: string,
    object: ObjectDefinition,
    given: DataRecord,
    own: DataRecord | undefined,
  ): void {
    for (const field of object.fields.filter(({ externalId }) => externalId)) {
      const value = given[field.name];
      if (typeof value !== 'string') continue;
      const other = this.findBy(organizationId, object, field, value);
      if (!other || other === own) continue;
      const text = `duplicate value found: ${field.name} duplicates value on record with id: ${String(other['Id'])}`;
      throw new DataError(400, 'DUPLICATE_VALUE', text, []);
    }
  }

  #writableRecord(organizationId: string, object: ObjectDefinition, id: string): DataRecord {
    if (this.#deleted.has(`${organizationId} ${toId18(id)}`)) {
      throw new DataError(404, 'ENTITY_IS_DELETED', 'entity is deleted', []);
    }
    const record = this.#table(organizationId, object).get(toId18(id));
    if (!record) throw notFound();
    return record;
  }

  #checked(organizationId: string, object: ObjectDefinition, values: unknown): DataRecord {
    if (typeof values !== 'object' || values === null || Array.isArray(values)) {
      throw new DataError(
        400,
        'JSON_PARSER_ERROR',
        'The HTTP entity body is required, but this request has no entity body.',
      );
    }
    const checked: DataRecord = {};
    for (const [name, value] of Object.entries(values)) {
      if (name === 'attributes') continue;
      const field = findField(object, name);
      if (!field) {
        throw new DataError(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
      }
      if (field.readOnly) {
        throw new DataError(
          400,
          'INVALID_FIELD_FOR_INSERT_UPDATE',
          `Unable to create/update fields: ${field.name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`,
          [field.name],
        );
      }
      checked[field.name] = this.#checkedValue(organizationId, field, value);
    }
    return checked;
  }

  #checkedValue(organizationId: string, field: FieldDefinition, value: unknown): FieldValue {
    if (value === null || value === '') return null;
    const type = field.type === 'double' ? 'number' : field.type === 'boolean' ? 'boolean' : 'string';
    if (typeof value !== type) {
      throw new DataError(
        400,
        'JSON_PARSER_ERROR',
        `Cannot deserialize instance of ${field.type} for field ${field.name}`,
      );
    }
    const target = field.referenceTo === undefined ? undefined : findObject(field.referenceTo);
    if (!target) return value as FieldValue;
    const id = toId18(value as string);
    if (!this.all(organizationId, target).some((record) => record['Id'] === id)) {
      throw new DataError(
        400,
        'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
        'insufficient access rights on cross-reference id',
        [],
      );
    }
    return id;
  }

  #table(organizationId: string, object: ObjectDefinition): Map<string, DataRecord> {
    const key = `${organizationId} ${object.name}`;
    const table = this.#tables.get(key) ?? new Map<string, DataRecord>();
    this.#tables.set(key, table);
    return table;
  }
}
