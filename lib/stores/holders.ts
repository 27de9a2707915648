/** How many holders a store knows of one grant, unless its option says otherwise. */
export const defaultMaxHolders = 1_000;

const most = 10_000;

/** The option `maxHolders` of a store, checked. */
export function holderBound(store: string, given: number = defaultMaxHolders): number {
  if (Number.isInteger(given) && given >= 1 && given <= most) return given;
  throw new TypeError(`${store}: maxHolders must be a whole number from 1 to ${most}, not ${String(given)}.`);
}
