/** @tier all */
import { describeEachOn } from '../helpers/programs';
import { isReported } from './report';
import { Scene } from './scene';
import { openStage, storeKinds } from './stage';
import type { Worker } from './workers';

// The command takes its time; an ordinary run that hangs must not.
jest.setTimeout(isReported ? 3_600_000 : 600_000);

/** The full count runs by `npm run shutdowns`. */
const { grants, refreshes } = isReported ? { grants: 20, refreshes: 1_000 } : { grants: 8, refreshes: 24 };

describeEachOn(storeKinds)('SIGTERM at a random moment on %s', (kind) => {
  it(`loses none of ${refreshes} refreshes`, async () => {
    const stage = await openStage(kind);
    const scenes = await Promise.all(Array.from({ length: grants / 2 }, () => Scene.open(stage, { leaseMs: 5_000 })));
    const owners = scenes.flatMap((scene) => [scene.user, scene.bystander].map((person) => ({ scene, person })));
    const presented = (): number => scenes.reduce((sum, scene) => sum + scene.presented, 0);
    let terminations = 0;
    let underWay = 0;
    let worker: Worker | undefined;
    try {
      while (presented() < refreshes) {
        worker = await stage.pool.take();
        const apps = new Map<Scene, Awaited<ReturnType<Scene['openApp']>>>();
        for (const scene of scenes) apps.set(scene, await scene.openApp(worker));
        const current = worker;
        const begun = Promise.race([...apps.values()].map(({ id }) => current.heard('refresh.started', id)));
        begun.catch(() => undefined);
        for (const { scene, person } of owners) {
          scene.expire(person);
          scene.fault({
            on: 'refresh',
            kind: 'delay',
            delayMs: Math.random() * 50,
            when: Math.random() < 0.5 ? 'before' : 'after',
          });
        }
        const before = presented();
        const answers = Promise.all(owners.map(({ scene, person }) => scene.ask(apps.get(scene)!, '/limits', person)));
        // Before the first refresh, or while some are under way.
        if (Math.random() < 0.9) await Promise.race([begun, answers]);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
        worker.signal('SIGTERM');
        terminations += 1;
        await answers;
        await worker.exited;
        expect(worker.process.exitCode).toBe(0);
        underWay += presented() - before;
        // Whatever the process had not begun, the other one does.
        await Promise.all(owners.map(({ scene, person }) => scene.useAgain(scene.b, person)));
        for (const { scene } of owners) scene.emulator.faults.clear();
      }
      expect(owners.map(({ person }) => person.logins)).toEqual(owners.map(() => 0));
      expect(scenes.flatMap((scene) => scene.emulator.violations)).toEqual([]);
      if (isReported) {
        process.stdout.write(
          `${kind}: ${presented()} refreshes, ${underWay} of them by processes that were terminated, ` +
            `${terminations} SIGTERMs, 0 logins lost.\n`,
        );
      }
    } finally {
      if (worker?.isAlive) await worker.end();
      for (const scene of scenes) await scene.close();
      await stage.end();
    }
  });
});
