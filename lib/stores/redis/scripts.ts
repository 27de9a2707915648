import { createHash } from 'node:crypto';
import { grantSchema } from '../stored-grant';
import { fieldNames } from './fields';
import addHolder from './scripts/add-holder.lua';
import arm from './scripts/arm.lua';
import claimOnce from './scripts/claim-once.lua';
import claim from './scripts/claim.lua';
import commit from './scripts/commit.lua';
import logOut from './scripts/log-out.lua';
import put from './scripts/put.lua';
import read from './scripts/read.lua';
import releaseClaim from './scripts/release-claim.lua';
import renew from './scripts/renew.lua';
import reseal from './scripts/reseal.lua';
import resolveClaim from './scripts/resolve-claim.lua';
import shared from './scripts/shared.lua';
import take from './scripts/take.lua';
import unclaim from './scripts/unclaim.lua';

/** A Lua script; each is one operation of the store, atomic and on the server's clock. */
export interface Script {
  text: string;
  sha: string;
}

const names = fieldNames.map((name) => `'${name}'`).join(', ');

function scriptOf(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

function ofGrant(text: string): Script {
  return scriptOf(`local names, schema = {${names}}, '${grantSchema}'\n${shared}\n${text}`);
}

export const scripts = {
  read: ofGrant(read),
  put: ofGrant(put),
  claim: ofGrant(claim),
  unclaim: ofGrant(unclaim),
  renew: ofGrant(renew),
  arm: ofGrant(arm),
  releaseClaim: ofGrant(releaseClaim),
  commit: ofGrant(commit),
  addHolder: ofGrant(addHolder),
  logOut: ofGrant(logOut),
  take: ofGrant(take),
  reseal: ofGrant(reseal),
  claimOnce: scriptOf(claimOnce),
  resolveClaim: scriptOf(resolveClaim),
} satisfies Record<string, Script>;
