import { expect, test } from '@jest/globals';
import { lowerThread } from '../../../src/chain/lower-thread.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { BatchQueue } from '../../../src/inference/thread/batch-queue.ts';

const { signal } = new AbortController();

test('between two runs the limits go down and what larger runs keep is given back', async () => {
  const order: string[] = [];
  const queue = new BatchQueue();
  const submit = queue.stage<number, number>({
    limit: 4,
    meter: stageMeter(),
    run: async (items) => {
      order.push(`run of ${items.length}`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push('end');
      return items;
    },
  });
  const release = (name: string) => async (rows: number) => void order.push(`${name} above ${rows}`);
  const lower = lowerThread(queue, [release('first'), release('second')]);
  const ask = (): Promise<unknown> => Promise.all([1, 2, 3, 4].map((item) => submit(item, signal)));
  const before = ask();
  const lowered = lower({ most: 2 }, { signal });
  await Promise.all([before, lowered, ask()]);
  expect(order).toEqual(['run of 4', 'end', 'first above 2', 'second above 2', 'run of 2', 'end', 'run of 2', 'end']);
});
