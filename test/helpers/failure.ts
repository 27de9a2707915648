/** An error with these members, for `toThrow()`. */
export function failure(members: object): Error {
  return expect.objectContaining(members) as Error;
}
