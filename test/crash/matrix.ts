import type { Cell } from './cells/cell';
import { outageCells } from './cells/outages';
import { policyCells } from './cells/policies';
import { processCells } from './cells/processes';
import { providerCells } from './cells/provider';
import { storeCells } from './cells/stores';
import { userCells } from './cells/users';
import { takeExceptions } from '../helpers/oracle';
import { within } from './within';
import { Scene } from './scene';
import { row } from './report';
import { openStage, storeKinds, type Stage, type StoreKind } from './stage';

/** Rows to run, while one of them is looked into. */
const only = new RegExp(process.env['FAULT_MATRIX_ONLY'] ?? '');

export const cells: readonly Cell[] = [
  ...processCells,
  ...storeCells,
  ...providerCells,
  ...outageCells,
  ...policyCells,
  ...userCells,
].filter(({ row, step }) => only.test(`${row}, ${step}`));

/** How a cell ended. */
export interface Outcome {
  cell: Cell;
  kind: StoreKind;
  /** What was seen; as it was promised where the cell holds. */
  seen: {
    logins: number;
    spent: number;
    overlapping: number;
    /** Spent tokens presented once more because of `onLostAnswer: 'retry'`. */
    retries: number;
    /** Live refresh tokens of the user while logged in, and after the logout that ends the cell. */
    live: number;
    afterLogout: number;
    bystanderLogins: number;
  };
  failure: string | undefined;
}

/** What has to be seen. */
export function promisedBy({ promised, lostTokens = 0, retries = 0, takesAll }: Cell): Outcome['seen'] {
  return {
    logins: promised === 'nothing lost' ? 0 : 1,
    spent: 0,
    overlapping: 0,
    retries,
    live: 1 + lostTokens,
    afterLogout: lostTokens,
    bystanderLogins: takesAll ? 1 : 0,
  };
}

/** Longer than any cell takes on a busy machine: only a hang is to be told from it. */
const cellTimeoutMs = 300_000;

/** Runs all cells on a store, several side by side, since they mostly wait. */
export async function runCells(kind: StoreKind): Promise<Outcome[]> {
  const stage = await openStage(kind);
  try {
    const left = cells.filter(({ store }) => store === undefined || store === kind);
    const outcomes: Outcome[] = [];
    const lane = async (): Promise<void> => {
      for (let cell = left.shift(); cell; cell = left.shift()) outcomes.push(await runCell(cell, stage));
    };
    await Promise.all(Array.from({ length: 6 }, lane));
    return outcomes;
  } finally {
    await stage.end();
  }
}

async function runCell(cell: Cell, stage: Stage): Promise<Outcome> {
  const none = { logins: 0, spent: 0, overlapping: 0, retries: 0 };
  const seen: Outcome['seen'] = { ...none, live: 0, afterLogout: 0, bystanderLogins: 0 };
  const outcome: Outcome = { cell, kind: stage.kind, seen, failure: undefined };
  let scene: Scene | undefined;
  try {
    scene = await Scene.open(stage, cell.options);
    await within(cellTimeoutMs, 'The end of the cell', carryOut(cell, scene, seen));
  } catch (error) {
    outcome.failure = String((error as Error).stack ?? error);
  }
  if (scene) {
    seen.logins = scene.user.logins;
    seen.bystanderLogins = scene.bystander.logins;
    const { violations } = scene.emulator;
    const { retry, rotationSwitchedOn } = takeExceptions(violations, scene.options);
    seen.retries = retry;
    seen.spent = rotationSwitchedOn;
    for (const { kind } of violations) seen[kind] += 1;
    await scene.close();
  }
  return outcome;
}

async function carryOut(cell: Cell, scene: Scene, seen: Outcome['seen']): Promise<void> {
  await cell.run(scene);
  await scene.useAgain();
  const promised = promisedBy(cell);
  // What was obtained for nobody is revoked in the background.
  await scene.until(() => scene.live() <= promised.live);
  seen.live = scene.live();
  // The bystander's refresh token is as good as ever.
  scene.expire(scene.bystander);
  await scene.useAgain(scene.b, scene.bystander);
  await scene.ask(scene.b, '/auth/salesforce/logout', scene.user, { method: 'POST' });
  seen.afterLogout = scene.live();
}

/** The matrix as a Markdown table: how each cell ended, on each store. */
export function tableOf(outcomes: readonly Outcome[]): string[] {
  const steps = [...new Set(outcomes.map(({ cell }) => cell.step))];
  const order = ['S0', 'S1', 'connecting', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7'];
  steps.sort((one, other) => order.indexOf(one) - order.indexOf(other));
  const columns = order.filter((step) => steps.includes(step));
  const rows = [...new Set(outcomes.map(({ cell }) => cell.row))];
  return [
    row(['Fault', 'Store', ...columns]),
    row(['---', '---', ...columns.map(() => '---')]),
    ...rows.flatMap((name) =>
      storeKinds.flatMap((kind) => {
        const own = outcomes.filter((outcome) => outcome.kind === kind && outcome.cell.row === name);
        if (own.length === 0) return [];
        return row([
          name,
          kind,
          ...columns.map((step) =>
            own
              .filter(({ cell }) => cell.step === step)
              .map(inWords)
              .join(),
          ),
        ]);
      }),
    ),
  ];
}

function inWords({ cell, seen, failure }: Outcome): string {
  const { promised, retries = 0 } = cell;
  if (failure !== undefined || JSON.stringify(seen) !== JSON.stringify(promisedBy(cell))) return '**FAILED**';
  if (retries > 0) return 'login; spent token presented';
  return { 'nothing lost': 'ok', 'one clean login': 'one clean login', 'logged out': 'logged out, 0 live' }[promised];
}
