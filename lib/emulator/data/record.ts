export type FieldValue = string | number | boolean | null;

/** A record: every field of its object, null if it is empty. */
export type DataRecord = Record<string, FieldValue>;
