import type { FieldPath } from './field-path';
import type { QueryResult } from './query';
import type { FieldDefinition } from './schema';

/** A column of the result of a query, as `columns=true` describes it. */
interface Column {
  aggregate: boolean;
  apexType: string | null;
  columnName: string;
  displayName: string;
  joinColumns: Column[];
  [name: string]: unknown;
}

const apexTypes: Readonly<Partial<Record<FieldDefinition['type'], string>>> = {
  id: 'Id',
  reference: 'Id',
  double: 'Double',
  int: 'Integer',
  boolean: 'Boolean',
  datetime: 'Datetime',
  date: 'Date',
  base64: 'Blob',
};

/** The answer to `query?columns=true`. Salesforce's command line asks for the columns before it prints a table. */
export function describeColumns({ object, paths, rows }: QueryResult): Record<string, unknown> {
  return {
    columnMetadata: columnsOf(paths),
    entityName: object.name,
    groupBy: false,
    // COUNT() selects nothing.
    idSelected: rows !== undefined && paths.some(isOwnId),
    keyPrefix: object.keyPrefix,
  };
}

function isOwnId({ relationships, field }: FieldPath): boolean {
  return relationships.length === 0 && field.name === 'Id';
}

/** Fields of the same parent are nested in one column. */
function columnsOf(paths: readonly FieldPath[]): Column[] {
  const columns: Column[] = [];
  for (const { relationships, field } of paths) {
    let level = columns;
    for (const { name } of relationships) {
      let parent = level.find(({ columnName }) => columnName === name);
      if (!parent) level.push((parent = column(name, null)));
      level = parent.joinColumns;
    }
    level.push(column(field.name, field));
  }
  return columns;
}

function column(name: string, field: FieldDefinition | null): Column {
  const canWrite = field !== null && !field.readOnly;
  return {
    aggregate: false,
    apexType: field && (apexTypes[field.type] ?? 'String'),
    booleanType: field?.type === 'boolean',
    columnName: name,
    custom: name.endsWith('__c'),
    displayName: name,
    foreignKeyName: null,
    insertable: canWrite,
    joinColumns: [],
    numberType: field?.type === 'double' || field?.type === 'int',
    textType: field !== null && ['string', 'email'].includes(field.type),
    updatable: canWrite,
  };
}
