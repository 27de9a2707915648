import { describePassportForcedotcom } from './passport-forcedotcom';

describe('passport-forcedotcom', () => describePassportForcedotcom('passport-forcedotcom'));
