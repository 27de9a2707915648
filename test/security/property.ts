import fc from 'fast-check';

export { fc };

/**
 * How often a property is tried: PROPERTY_RUNS times the number given, and with the seed PROPERTY_SEED where a failure is to
 * be seen again.
 */
export function propertyRuns(count: number): fc.Parameters<unknown> {
  const factor = Number(process.env['PROPERTY_RUNS'] ?? 1);
  const seed = process.env['PROPERTY_SEED'];
  return { numRuns: Math.max(1, Math.round(count * factor)), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}
