/**
 * Fields of a grant's hash, in the order replies have them. Points in time are whole milliseconds of the server's clock;
 * what is not there is an empty text. Beside them stand `ref:<name>` with its end for each session that holds the grant,
 * `heldUntil` and `takenUntil`.
 */
export const fieldNames = [
  'schema',
  'generation',
  'version',
  'state',
  'payload',
  'labels',
  'softAt',
  'hardAt',
  'owner',
  'leaseUntil',
  'nextTryAt',
  'stateSince',
  'failures',
  'errorCode',
  'errorSince',
  'refreshedAt',
  'refused',
  // The run of the server that wrote the tokens or a claim last; empty where that is not to be known.
  'server',
] as const;
