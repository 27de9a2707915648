import { SalesforceOptionError } from '../errors';
import { invalid, isPlainObject, kindOf } from './check';
import { parseValues, type OptionSpec, type Parsed, type Part } from './spec';
import { closest, edits, mostEdits, wordsIn, type Candidate } from './spelling';

/** Other libraries' and Salesforce's own names for our options; a spelling distance alone would not find them. */
const otherNames = new Map(
  Object.entries({
    consumerKey: 'clientID',
    consumerSecret: 'clientSecret',
    redirectUri: 'callbackURL',
    redirect_uri: 'callbackURL',
    loginUrl: 'baseUrl',
    authorizationURL: 'baseUrl',
    tokenURL: 'baseUrl',
    promptType: 'prompt',
    holdMs: 'inDoubtMs',
    onAmbiguous: 'onLostAnswer',
    kid: 'keyId',
    keyPrefix: 'prefix',
    tableName: 'table',
    connection: 'pool',
    redis: 'client',
    secret: 'encryptionKeys',
  }),
);

/**
 * Checks the options of a part: no name that does not exist, and no value that is not possible.
 *
 * @param what the function that takes the options, with its parentheses
 * @param prefix what stands before the name of an option in an error, for instance `refresh.`
 * @throws SalesforceOptionError
 */
export function parsePart<P extends Part>(part: P, given: object, what: string, prefix = ''): Parsed<P> {
  checkNames(given, part, what);
  return parseValues(part, given, prefix);
}

/**
 * Refuses an option that does not exist, so that a misspelt one is not silently without effect. Options inside of an option
 * are looked at, too, and one in the wrong place is told the right one. What is no plain object is refused, since nothing in it
 * would be an option: a guard with such options would let everyone in.
 *
 * @param what the function that takes the options, with its parentheses
 * @throws SalesforceOptionError `ERR_SALESFORCE_OPTION_INVALID` with the closest known name
 */
export function checkNames(given: unknown, known: Part, what: string): void {
  refuseRequest(given, what);
  if (!isPlainObject(given)) {
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_INVALID',
      'options',
      `${what} takes its options in a plain object such as { name: value }; it got ${kindOf(given)}.`,
    );
  }
  const place = unknownIn(given, known, []);
  if (!place) return;
  const option = pathOf(place);
  const guess = meant(place, known);
  const [group, siblings] = groupOf(place, known);
  const list = `Known ${group.length === 0 ? '' : `in '${pathOf(group)}' `}are: ${Object.keys(siblings).join(', ')}.`;
  throw new SalesforceOptionError(
    'ERR_SALESFORCE_OPTION_INVALID',
    option,
    `${what} has no option '${option}'. ${guess === undefined ? list : `Did you mean '${guess}'?`}`,
  );
}

/** Where an option is: the names that lead to it. A part of a list has its number in brackets. */
type Place = readonly string[];

function pathOf(place: Place): string {
  return place.join('.').replaceAll('.[', '[');
}

/** The first place that has no option. */
function unknownIn(given: Readonly<Record<string, unknown>>, known: Part, above: Place): Place | undefined {
  for (const [name, value] of Object.entries(given)) {
    const place = [...above, name];
    if (!Object.hasOwn(known, name)) return place;
    const found = unknownInside(value, known[name] as OptionSpec, place);
    if (found) return found;
  }
  return undefined;
}

/** The same inside of an option. A value that is no object of options is left to the check of the value. */
function unknownInside(value: unknown, spec: Pick<OptionSpec, 'options' | 'isList'>, place: Place): Place | undefined {
  const { options, isList = false } = spec;
  if (!options) return undefined;
  if (isPlainObject(value)) return unknownIn(value, options, place);
  if (!isList || !Array.isArray(value)) return undefined;
  const found = value.map((each, index) => unknownInside(each, { options }, [...place, `[${index}]`]));
  return found.find((one) => one !== undefined);
}

/** The group that a place is in, and the names in this group. */
function groupOf(place: Place, known: Part): [Place, Part] {
  const group = place.slice(0, -1);
  const names = group.filter((name) => !name.startsWith('['));
  return [group, names.reduce<Part>((inside, name) => (inside[name] as OptionSpec).options ?? {}, known)];
}

/** The option that is meant by a place that has none: one with a similar name beside it, or with nearly the same elsewhere. */
function meant(place: Place, known: Part): string | undefined {
  const [group, siblings] = groupOf(place, known);
  // Of several options with one name, one in another group is more likely to be meant by an option in a group.
  const distanceTo = (other: Place): number => Math.abs(other.length - place.length);
  const all = placesIn(known, []).sort((a, b) => distanceTo(a) - distanceTo(b));
  const given = place.at(-1) ?? '';
  const other = otherNames.get(given) ?? given;
  const name = all.some((each) => each.at(-1) === other) ? other : given;
  const beside = Object.keys(siblings).map((sibling) => ({
    ...{ is: pathOf([...group, sibling]), edits: edits(name, sibling), most: mostEdits(name) },
  }));
  return closest([...beside, ...all.flatMap((each) => elsewhere(name, each))]);
}

/** How far a name is from an option of any group. The name of such an option can be short, so that less may be wrong in it. */
function elsewhere(name: string, place: Place): Candidate<string>[] {
  const leaf = place.at(-1) ?? '';
  const words = wordsIn(pathOf(place));
  return [
    { is: pathOf(place), edits: edits(name, leaf), most: Math.floor(leaf.length / 3) },
    { is: pathOf(place), edits: edits(wordsIn(name), words), most: Math.floor(words.length / 4) },
  ];
}

function placesIn(names: Part, above: Place): Place[] {
  return Object.entries(names).flatMap(([name, { options }]) => [
    [...above, name],
    ...(options ? placesIn(options, [...above, name]) : []),
  ]);
}

/** A function that is mounted without its parentheses, as in `app.use(salesforceAuth)`, gets a request from Express. */
function refuseRequest(given: unknown, what: string): void {
  const { method, headers } = (given ?? {}) as { method?: unknown; headers?: unknown };
  if (typeof method !== 'string' || typeof headers !== 'object') return;
  throw invalid(what.replace('()', ''), `called when it is mounted: write ${what}, with the parentheses`);
}
