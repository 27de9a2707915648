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

/** The hosts of the emulated Salesforce. The path of a site follows an origin. */
export interface Hosts {
  /** Origin of the login host, which is the emulator's `url`. */
  login: string;
  /** Another name of the same listener, with the discovery document of a My Domain. */
  myDomain: string;
  /** Path of the Experience Cloud site. */
  sitePath: string;
  /** All origins at which the emulator answers. */
  readonly origins: Set<string>;
  /** Origin of each organization's instance, by its id. */
  readonly instances: Map<string, string>;
}

/** Settings of the whole emulator. */
export interface ProviderSettings {
  readonly sessionTimeoutSeconds: number;
  readonly queryBatchSize: number;
  readonly redirectWith: 'location' | 'javascript';
  readonly console: boolean;
  /** The age of apps that are registered without an age. */
  readonly app: AppAge;
  /** Most requests in the record. */
  readonly maxRequests: number;
  /** Addresses with a bad reputation. */
  readonly containedAddresses: AddressList | undefined;
}

/** The state of an emulated Salesforce. An endpoint is a function of this state and a request. */
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
  /** The `jti` of each used assertion, with its end in seconds. */
  readonly assertions: Map<string, number> = new Map<string, number>();
  readonly requests: RecordedRequest[] = [];
  readonly feed: Feed = new Feed();
  readonly records: RecordStore = new RecordStore(this.clock, this.users, this.organizations);
  readonly bulkJobs: BulkJobs = new BulkJobs();
  readonly hosts: Hosts = { login: '', myDomain: '', sitePath: '/portal', origins: new Set(), instances: new Map() };

  /** Number of requests to the REST API. Salesforce limits the requests of a day. */
  apiRequests = 0;

  constructor(settings: ProviderSettings) {
    this.settings = settings;
    this.clients = new Clients(settings.app);
  }

  /** Records a request. At the limit, the oldest requests are removed. */
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

  /** Origin of the current instance of an organization. */
  instanceOf(organizationId: string): string {
    return this.hosts.instances.get(organizationId) ?? this.hosts.login;
  }

  /** The organization that owns a site. Undefined for the login host, which serves all organizations. */
  organizationOfSite(site: string): string | undefined {
    return site === this.hosts.sitePath ? this.organizations[0]?.organizationId : undefined;
  }
}
