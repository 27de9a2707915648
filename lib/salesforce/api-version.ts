/**
 * The version of Salesforce's REST API that documentation, example and emulator use: that of Winter '27. A test holds them to
 * it, so a new version is written here first.
 */
export const newestApiVersion = '68.0';
