/** @tier all */
import { describeEachOn, has } from '../helpers/programs';
import { storeKinds } from './stage';
import { cells, promisedBy, runCells, tableOf, type Outcome } from './matrix';
import { isReported, report } from './report';

jest.setTimeout(1_200_000);

let all: Outcome[] = [];

beforeAll(async () => {
  all = (await Promise.all(storeKinds.filter((kind) => kind === 'PostgreSQL' || has(kind)).map(runCells))).flat();
});

describeEachOn(storeKinds)('the fault matrix on %s', (kind) => {
  const own = cells.filter(({ store }) => store === undefined || store === kind);
  it.each(own.map((cell) => ({ cell, row: cell.row, step: cell.step, promised: cell.promised })))(
    '$row, $step: $promised',
    ({ cell }) => {
      const outcome = all.find((other) => other.cell === cell && other.kind === kind);

      expect(outcome?.failure).toBeUndefined();
      expect(outcome?.seen).toEqual(promisedBy(cell));
    },
  );
});

afterAll(() => {
  if (isReported) report('fault matrix', tableOf(all));
});
