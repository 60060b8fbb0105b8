import { expect, test } from '@jest/globals';
import { createWorkerRig } from '../../harness/worker-rig.ts';

test('between two large bodies of one receive the event loop has its turn', async () => {
  await using rig = createWorkerRig();
  const { worker, events } = rig.worker(() => Promise.resolve({ kind: 'ack', outcome: 'completed' }), {
    concurrency: 10,
  });
  let turns = 0;
  let goesOn = true;
  const count = (): void => {
    turns += 1;
    if (goesOn) setImmediate(count);
  };
  const rejectedIn: number[] = [];
  const all = Promise.withResolvers<void>();
  events.on('message:rejected', () => {
    if (rejectedIn.push(turns) === 10) all.resolve();
  });
  for (let i = 0; i < 10; i += 1) rig.queue.send(JSON.stringify({ eventType: 'x'.repeat(200_000) }));
  setImmediate(count);
  worker.start();
  await rig.clock.until(all.promise);
  goesOn = false;
  expect(new Set(rejectedIn).size).toBe(10);
});
