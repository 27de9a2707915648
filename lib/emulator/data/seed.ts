/** A record without an id. */
export type Seed = Record<string, string | number | null>;

const accounts: readonly (readonly [name: string, industry: string, city: string, revenue: number])[] = [
  ['Burlington Textiles', 'Apparel', 'Burlington', 350000000],
  ['Dickenson Plc', 'Consulting', 'Lawrence', 50000000],
  ['Edge Communications', 'Electronics', 'Austin', 139000000],
  ['Express Logistics', 'Transportation', 'Portland', 950000000],
  ['GenePoint', 'Biotechnology', 'Mountain View', 30000000],
  ['Grand Hotels', 'Hospitality', 'Chicago', 500000000],
  ['Pyramid Construction', 'Construction', 'Paris', 950000000],
  ['United Oil & Gas', 'Energy', 'New York', 5600000000],
  ['University of Arizona', 'Education', 'Tucson', 0],
  ['sForce', 'Technology', 'San Francisco', 0],
];

const contacts: readonly (readonly [first: string, last: string, account: number, title: string])[] = [
  ['Jack', 'Rogers', 0, 'VP, Facilities'],
  ['Andy', 'Young', 1, 'SVP, Operations'],
  ['Rose', 'Gonzalez', 2, 'SVP, Procurement'],
  ['Sean', 'Forbes', 2, 'CFO'],
  ['Babara', 'Levy', 3, 'SVP, Operations'],
  ['Edna', 'Frank', 4, 'VP, Technology'],
  ['Tim', 'Barr', 5, 'SVP, Administration'],
  ['Pat', 'Stumuller', 6, 'SVP, Administration'],
  ['Lauren', 'Boyle', 7, 'SVP, Technology'],
  ['Jane', 'Grey', 8, 'Dean of Administration'],
  ['Jake', "O'Hara", 9, 'Developer'],
];

/**
 * The accounts of an organization. Each name contains the organization, so that a test notices a record of the wrong
 * organization.
 */
export function accountSeeds(organization: string): Seed[] {
  return accounts.map(([name, industry, city, revenue]) => ({
    Name: organization === '' ? name : `${name} (${organization})`,
    Industry: industry,
    Type: 'Customer',
    Phone: '+1 555 0100',
    Website: 'https://customer.example',
    BillingCity: city,
    AnnualRevenue: revenue,
  }));
}

/** Contacts. The account of a contact is an index into {@link accountSeeds}. */
export function contactSeeds(): { account: number; fields: Seed }[] {
  return contacts.map(([first, last, account, title]) => ({
    account,
    fields: {
      FirstName: first,
      LastName: last,
      Email: `${first.toLowerCase()}@customer.example`,
      Phone: '+1 555 0101',
      Title: title,
    },
  }));
}
