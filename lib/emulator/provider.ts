import { EmulatorClock } from './clock';
import { Feed } from './console/feed';
import { BulkJobs } from './data/bulk-jobs';
import { RecordStore } from './data/records';
import { Faults } from './faults/registry';
import type { RecordedRequest } from './http/exchange';
import { createOrganizations, createUsers, type EmulatorOrganization, type EmulatorUser } from './org/users';
import type { AddressList } from './state/addresses';
import type { AppAge } from './policy';
import { Browsers } from './state/browsers';
import { Clients } from './state/clients';
import { AuthorizationCodes } from './state/codes';
import { Grants } from './state/grants';
import { Presentations } from './state/violations';

/** Where the emulated Salesforce is reached. Paths of sites come after an origin. */
export interface Hosts {
  /** Origin of the login host, which is the emulator's `url`. */
  login: string;
  /** Another name of the same listener, with the discovery document of a My Domain. */
  myDomain: string;
  /** Path of the Experience Cloud site. */
  sitePath: string;
  /** All origins the emulator answers at. */
  readonly origins: Set<string>;
  /** Origin of each organization's instance, by its id. */
  readonly instances: Map<string, string>;
}

/** Settings that hold for the whole emulator. */
export interface ProviderSettings {
  readonly sessionTimeoutSeconds: number;
  readonly queryBatchSize: number;
  readonly redirectWith: 'location' | 'javascript';
  readonly console: boolean;
  /** What apps are registered as, unless they say so themselves. */
  readonly app: AppAge;
  /** Most requests that are kept on record. */
  readonly maxRequests: number;
  /** Addresses of ill repute. */
  readonly containedAddresses: AddressList | undefined;
}

/** The state of one emulated Salesforce; endpoints are functions of it and a request. */
export class Provider {
  readonly settings: ProviderSettings;
  readonly clock: EmulatorClock = new EmulatorClock();
  readonly organizations: EmulatorOrganization[] = createOrganizations();
  readonly users: EmulatorUser[] = createUsers(this.organizations);
  readonly clients: Clients;
  readonly codes: AuthorizationCodes = new AuthorizationCodes(this.clock);
  readonly grants: Grants = new Grants(this.clock);
  readonly presentations: Presentations = new Presentations();
  readonly browsers: Browsers = new Browsers();
  readonly faults: Faults = new Faults();
  /** Names of signed assertions that were used, with the end of each in seconds. */
  readonly assertions: Map<string, number> = new Map<string, number>();
  readonly requests: RecordedRequest[] = [];
  readonly feed: Feed = new Feed();
  readonly records: RecordStore = new RecordStore(this.clock, this.users, this.organizations);
  readonly bulkJobs: BulkJobs = new BulkJobs();
  readonly hosts: Hosts = { login: '', myDomain: '', sitePath: '/portal', origins: new Set(), instances: new Map() };

  /** Requests to the REST API so far, of which an organization has so many a day. */
  apiRequests = 0;

  constructor(settings: ProviderSettings) {
    this.settings = settings;
    this.clients = new Clients(settings.app);
  }

  /** Keeps a request on record; the oldest ones make room. */
  record(request: RecordedRequest): void {
    this.requests.push(request);
    if (request.path.includes('/services/data/')) this.apiRequests += 1;
    const tooMany = this.requests.length - this.settings.maxRequests;
    if (tooMany > 0) this.requests.splice(0, tooMany);
  }

  /** Freezes a user and revokes all tokens of the user. */
  contain(user: EmulatorUser): void {
    user.active = false;
    this.grants.revokeAll({ userId: user.userId });
  }

  /** Origin of the instance an organization lives on now. */
  instanceOf(organizationId: string): string {
    return this.hosts.instances.get(organizationId) ?? this.hosts.login;
  }

  /** The organization that owns a site; undefined for the login host, which serves them all. */
  organizationOfSite(site: string): string | undefined {
    return site === this.hosts.sitePath ? this.organizations[0]?.organizationId : undefined;
  }
}
