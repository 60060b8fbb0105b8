import { describe, expect, test } from '@jest/globals';
import { Failure, Interruption } from '../../../src/failure/failure.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { BatchQueue } from '../../../src/inference/thread/batch-queue.ts';

const signal = new AbortController().signal;

describe('BatchQueue', () => {
  test('takes what waits in one stage, up to its limit, oldest stage first', async () => {
    const ran: string[] = [];
    const queue = new BatchQueue();
    const stage = (name: string, limit: number): ((item: number, signal: AbortSignal) => Promise<number>) =>
      queue.stage<number, number>({
        limit,
        meter: stageMeter(),
        run: async (items) => {
          ran.push(`${name}:${items.join('+')}`);
          return items;
        },
      });
    const [a, b] = [stage('a', 2), stage('b', 8)];
    await Promise.all([a(1, signal), b(2, signal), a(3, signal), a(4, signal), b(5, signal)]);
    expect(ran).toEqual(['a:1+3', 'b:2+5', 'a:4']);
  });

  test('lets what arrives during a run join the next batch', async () => {
    const ran: number[][] = [];
    const queue = new BatchQueue();
    const later: Promise<number>[] = [];
    const submit = queue.stage<number, number>({
      limit: 4,
      meter: stageMeter(),
      run: async (items) => {
        ran.push([...items]);
        if (ran.length === 1) later.push(submit(2, signal), submit(3, signal));
        return items;
      },
    });
    await submit(1, signal);
    await Promise.all(later);
    expect(ran).toEqual([[1], [2, 3]]);
  });

  test('takes no more than lowered limits from then on, a whole size where a stage has sizes', async () => {
    const ran: string[] = [];
    const queue = new BatchQueue();
    const stage = (name: string, limit: number, sizes: readonly number[]): (() => Promise<number[]>) => {
      const submit = queue.stage<number, number>({
        limit,
        sizes,
        meter: stageMeter(),
        run: async (items) => {
          ran.push(`${name}${items.length}`);
          return items;
        },
      });
      return () => Promise.all(Array.from({ length: 8 }, (_, i) => submit(i, signal)));
    };
    const stages = [stage('plain', 8, []), stage('sized', 8, [1, 3, 8]), stage('small', 2, [1, 2])];
    queue.lowerLimits(4);
    for (const ask of stages) await ask();
    expect(ran).toEqual(['plain4', 'plain4', 'sized3', 'sized3', 'sized2', 'small2', 'small2', 'small2', 'small2']);
  });

  test('leaves to the next batch what would leave a size too empty, each item once at most', async () => {
    const ran: number[][] = [];
    const queue = new BatchQueue();
    const later: Promise<number>[] = [];
    const submit = queue.stage<number, number>({
      limit: 8,
      sizes: [1, 2, 4, 8],
      leastFull: 0.8,
      meter: stageMeter(),
      run: async (items) => {
        ran.push([...items]);
        // One more comes in each of the first runs.
        if (ran.length < 3) later.push(submit(10 + ran.length, signal));
        return items;
      },
    });
    await Promise.all([1, 2, 3, 4, 5, 6].map((item) => submit(item, signal)));
    await Promise.all(later);
    // 5 and 6 were left behind by the first run, 11 by the second.
    expect(ran).toEqual([
      [1, 2, 3, 4],
      [5, 6],
      [11, 12],
    ]);
  });

  test('takes whoever was left behind before, though that fills no size', async () => {
    const ran: number[][] = [];
    const queue = new BatchQueue();
    const later: Promise<number>[] = [];
    const submit = queue.stage<number, number>({
      limit: 16,
      sizes: [1, 8, 16],
      leastFull: 0.8,
      meter: stageMeter(),
      run: async (items) => {
        ran.push([...items]);
        if (ran.length === 1) later.push(submit(99, signal));
        return items;
      },
    });
    const items = Array.from({ length: 11 }, (_, item) => item);
    await Promise.all(items.map((item) => submit(item, signal)));
    await Promise.all(later);
    expect(ran).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10], [99]]);
  });

  test('counts nobody who has given up', async () => {
    const ran: number[][] = [];
    const queue = new BatchQueue();
    const submit = queue.stage<number, number>({
      limit: 4,
      sizes: [1, 2, 4],
      leastFull: 0.8,
      meter: stageMeter(),
      run: async (items) => {
        ran.push([...items]);
        return items;
      },
    });
    const gone = new AbortController();
    const given = [1, 2, 3].map((item) => submit(item, item === 1 ? gone.signal : signal));
    gone.abort(new Interruption('shutdown', 'stop'));
    await Promise.allSettled(given);
    expect(ran).toEqual([[2, 3]]);
  });

  test('drops what was given up before its batch, and only that', async () => {
    const ran: number[][] = [];
    const queue = new BatchQueue();
    const submit = queue.stage<number, number>({
      limit: 4,
      meter: stageMeter(),
      run: async (items) => {
        ran.push([...items]);
        return items;
      },
    });
    const controller = new AbortController();
    const dropped = submit(1, controller.signal);
    const kept = submit(2, signal);
    const reason = new Interruption('shutdown', 'stop');
    controller.abort(reason);
    await expect(dropped).rejects.toBe(reason);
    expect(await kept).toBe(2);
    expect(ran).toEqual([[2]]);
  });

  test('fails the items of a failed batch, goes on with the next, and halves when memory is short', async () => {
    const queue = new BatchQueue();
    const meter = stageMeter();
    const submit = queue.stage<number, number>({
      limit: 4,
      meter,
      run: async (items) => {
        if (items.includes(-1)) throw new Failure('CUDA_ERROR', 'broken');
        if (items.length > 1) throw new Failure('CUDA_OUT_OF_MEMORY', 'too many');
        return items.map((item) => item * 2);
      },
    });
    const failed = [submit(-1, signal), submit(1, signal), submit(1, signal), submit(1, signal)];
    const settled = Promise.allSettled(failed);
    const halved = [5, 6, 7].map((item) => submit(item, signal));
    expect(await Promise.all(halved)).toEqual([10, 12, 14]);
    expect((await settled).map((s) => s.status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    expect(meter.items).toBe(3);
  });
});
