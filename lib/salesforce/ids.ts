const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/** Whether this is the id of an organization, with 15 or 18 characters. */
export function isOrganizationId(id: string): boolean {
  return /^00D(?:[A-Za-z0-9]{12}|[A-Za-z0-9]{15})$/.test(id);
}

/** Whether this is the id of a user, with 15 or 18 characters. */
export function isUserId(id: string): boolean {
  return /^005(?:[A-Za-z0-9]{12}|[A-Za-z0-9]{15})$/.test(id);
}

/**
 * The 18-character form of a Salesforce id. The last three characters encode upper and lower case, so that ids can be
 * compared without case.
 *
 * Salesforce sends either form for the same user, so only this form may be a key.
 */
export function toId18(id: string): string {
  if (id.length !== 15) return id;
  let suffix = '';
  for (let block = 0; block < 3; block++) {
    let bits = 0;
    for (let position = 0; position < 5; position++) {
      const character = id.charAt(block * 5 + position);
      if (character >= 'A' && character <= 'Z') bits |= 1 << position;
    }
    suffix += alphabet.charAt(bits);
  }
  return id + suffix;
}
