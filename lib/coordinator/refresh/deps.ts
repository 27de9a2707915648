import type { Background } from '../background';
import type { GrantAccess } from '../grant-access';
import type { CoordinatorParts } from '../parts';
import type { Outages } from './outages';
import type { Rotation } from './rotation';
import type { RotationTurn } from './rotation-turn';

/** What a refresh works with. */
export interface RefreshDeps extends CoordinatorParts {
  access: GrantAccess;
  background: Background;
  outages: Outages;
  rotation: Rotation;
  turn: RotationTurn;
}
