/**
 * Fields of a grant's hash, in the order replies have them. Points in time are whole milliseconds of the server's clock;
 * what is not there is an empty text. Beside them stand `writes`, `heldUntil`, `forgottenUntil` and
 * `takenUntil`. The holders are in a sorted set of their own.
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
  'spare',
  // The run of the server that wrote the tokens or a claim last; empty if that is unknown.
  'server',
] as const;
