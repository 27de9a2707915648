/**
 * The version of Salesforce's REST API in documentation, example and emulator: Winter '27. A test checks that all of them
 * name this version. Change the version here first.
 */
export const newestApiVersion = '68.0';
