import { describeJsforce } from './jsforce';

describe.each([
  ['jsforce', 'jsforce'],
  ['jsforce 3.10.16, the last for Node.js 20', 'jsforce-node-20'],
])('%s', (_, client) => describeJsforce(client));
