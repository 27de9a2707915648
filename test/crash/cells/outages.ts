import type { FaultKind } from '../../../lib/emulator';
import { isReported } from '../report';
import type { Scene } from '../scene';
import { insist, type Cell } from './cell';

/** What the token and the introspection endpoint do. */
interface Shape {
  name: string;
  fault: FaultKind;
  /** Salesforce says that it did not work on the request, so there is no doubt. */
  isTurnedAway?: boolean;
}

const all: readonly Shape[] = [
  { name: '500', fault: { kind: 'status', status: 500 } },
  { name: '502', fault: { kind: 'status', status: 502 } },
  { name: '504', fault: { kind: 'status', status: 504 } },
  { name: '503', fault: { kind: 'status', status: 503 }, isTurnedAway: true },
  { name: '429', fault: { kind: 'status', status: 429 }, isTurnedAway: true },
  { name: 'a web page with 200', fault: { kind: 'html' } },
  { name: 'an empty 200', fault: { kind: 'empty' } },
  { name: 'half a reply', fault: { kind: 'truncated' } },
  { name: 'connections dropped', fault: { kind: 'drop' } },
  { name: 'no answer', fault: { kind: 'hang' } },
];

/** The whole matrix takes each shape, the tests a few. Whole hours are played in virtual time: see docs/internals/outages.md. */
const shapes = isReported ? all : all.filter(({ name }) => ['500', '503', 'connections dropped'].includes(name));

/** For longer than all time limits, a refresh is due and fails while the access token works: no request may notice. */
async function outlast(scene: Scene, { fault, isTurnedAway = false }: Shape, when: 'before' | 'after'): Promise<void> {
  await scene.store.makeDue(await scene.grantId());
  const refresh = scene.fault({ ...fault, on: 'refresh', when, times: Infinity });
  const introspect = scene.fault({ ...fault, on: 'introspect', times: Infinity });
  const isOver = (): boolean => (isTurnedAway ? refresh.hits >= 3 : introspect.hits >= 2);
  while (!isOver()) {
    for (const app of [scene.a, scene.b]) {
      const { status, error } = await scene.ask(app);
      insist(status === 200, `Answered ${status} ${String(error)} while the access token worked.`);
    }
    await scene.moment();
  }
  insist(isTurnedAway || refresh.hits === 1, `Presented ${refresh.hits} times in doubt.`);
  refresh.remove();
  introspect.remove();
  scene.expire();
}

/** Ten seconds lie between two looks at a grant in doubt, so its doubt lasts ten times `inDoubtMs`. */
const options = { inDoubtMs: 1_000, httpTimeoutMs: 5_000 };

export const outageCells: readonly Cell[] = shapes.flatMap((shape): Cell[] => {
  const row = `Salesforce down for longer than all time limits: ${shape.name}`;
  const notCarriedOut: Cell = {
    ...{ row, step: 'S3', promised: 'nothing lost', options },
    run: (scene) => outlast(scene, shape, 'before'),
  };
  const carriedOut: Cell = {
    ...{ row, step: 'S4', promised: 'one clean login', lostTokens: 1, options },
    run: (scene) => outlast(scene, shape, 'after'),
  };
  return shape.isTurnedAway === true ? [notCarriedOut] : [notCarriedOut, carriedOut];
});
