/** @tier all */
import { describeJsforce } from './jsforce';
import { describePassportForcedotcom } from './passport-forcedotcom';
import { fromDevDependencies } from './program';

/* The real clients that are dependencies of the tests. `npm run clients` has all of them, and Salesforce's command line. */

describe('jsforce', () => describeJsforce(fromDevDependencies));

describe('passport-forcedotcom', () => describePassportForcedotcom(fromDevDependencies));
