import { BlockList, isIP } from 'node:net';

/** Limits of a list in Setup: the number of ranges, and the number of addresses in a range. */
const maxRanges = 128;
const maxAddresses = 256;

/** A list of addresses and ranges, as in Setup. */
export class AddressList {
  readonly #list = new BlockList();

  /** @throws TypeError if an entry is invalid, or a limit is exceeded */
  constructor(ranges: readonly string[]) {
    if (ranges.length > maxRanges) throw new TypeError(`An address list has at most ${maxRanges} ranges.`);
    for (const range of ranges) {
      const [address = '', prefix] = range.split('/');
      const bits = isIP(address) === 6 ? 128 : 32;
      const length = prefix === undefined ? bits : Number(prefix);
      if (isIP(address) === 0 || !Number.isInteger(length) || length > bits) {
        throw new TypeError(`"${range}" is not an address, and not a range such as 203.0.113.0/24.`);
      }
      if (2 ** (bits - length) > maxAddresses) {
        throw new TypeError(`The range ${range} has more than ${maxAddresses} addresses.`);
      }
      this.#list.addSubnet(address, length, bits === 128 ? 'ipv6' : 'ipv4');
    }
  }

  includes(address: string): boolean {
    const plain = address.replace(/^::ffff:/i, '');
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  }
}
