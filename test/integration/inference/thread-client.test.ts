import { afterEach, describe, expect, test } from '@jest/globals';
import { Failure, Interruption } from '../../../src/failure/failure.ts';
import { ThreadClient, threadEntry } from '../../../src/inference/thread/thread-client.ts';
import type { FixtureMethods } from './fixture-methods.ts';

const entry = threadEntry(import.meta.url, './fixture-thread');
const open: ThreadClient<FixtureMethods>[] = [];

async function start(options = { fail: false }): Promise<ThreadClient<FixtureMethods>> {
  const client = await ThreadClient.start<FixtureMethods>('fixture', entry, options);
  open.push(client);
  return client;
}

afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
});

describe('calls', () => {
  test('run a model in the thread and answer', async () => {
    const client = await start();
    expect(await client.call('convolve', null)).toBe(9);
  });

  test('read and write shared memory in place, and get any other as a copy', async () => {
    const client = await start();
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    const own = Uint8Array.of(1, 2, 3);
    shared.set(own);
    for (const bytes of [shared, own]) expect([...(await client.call('reverse', { bytes }))]).toEqual([3, 2, 1]);
    expect([[...shared], [...own]]).toEqual([
      [3, 2, 1],
      [1, 2, 3],
    ]);
  });

  test('of several callers meet in one batch and each gets its own answer', async () => {
    const client = await start();
    const busy = client.call('block', { milliseconds: 50 });
    const answers = [1, 2, 3, 4, 5].map((n) => client.call('times10', { items: [n] }));
    await busy;
    expect(await Promise.all(answers)).toEqual([[10], [20], [30], [40], [50]]);
    expect(await client.call('batches', null)).toEqual([[1, 2, 3, 4], [5]]);
  });

  test('leave the event loop of the caller free while the thread is busy', async () => {
    const client = await start();
    const busy = client.call('block', { milliseconds: 200 });
    const state = { ended: false, turns: 0 };
    const count = async (): Promise<void> => {
      while (!state.ended) {
        await new Promise((resolve) => setImmediate(resolve));
        state.turns++;
      }
    };
    const counted = count();
    await busy.finally(() => (state.ended = true));
    await counted;
    expect(state.turns).toBeGreaterThan(20);
  });
});

describe('failures', () => {
  test('cross the boundary with code, class, details and the text of the cause', async () => {
    const client = await start();
    const error = await client.call('times10', { items: [-1] }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ code: 'CUDA_ERROR', class: 'system', message: 'item -1' });
    expect((error as Failure).cause).toMatchObject({ message: expect.stringContaining('cudnn') });
    expect(await client.call('times10', { items: [2] })).toEqual([20]);
  });

  test('that are bugs arrive as UNKNOWN with the stack', async () => {
    const client = await start();
    const error = await client.call('bug', null).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'UNKNOWN', message: 'a bug in a handler' });
    expect(String((error as Failure).cause)).toContain('fixture-thread');
  });

  test('while opening reject the start', async () => {
    await expect(ThreadClient.start('fixture', entry, { fail: true })).rejects.toMatchObject({
      code: 'PACK_BROKEN',
      details: { file: 'detector.onnx' },
    });
  });
});

describe('an aborted call', () => {
  test('rejects with the reason at once and its queued work is dropped', async () => {
    const client = await start();
    const controller = new AbortController();
    const busy = client.call('block', { milliseconds: 100 });
    const dropped = client.call('times10', { items: [7] }, { signal: controller.signal });
    const reason = new Interruption('lease-lost', 'the lease is gone');
    controller.abort(reason);
    await expect(dropped).rejects.toBe(reason);
    await busy;
    expect(await client.call('times10', { items: [8] })).toEqual([80]);
    expect(await client.call('batches', null)).toEqual([[8]]);
  });

  test('is not sent when the signal was aborted before', async () => {
    const client = await start();
    const reason = new Interruption('shutdown', 'stop');
    const bytes = new Uint8Array(new SharedArrayBuffer(2));
    bytes[0] = 1;
    const call = client.call('reverse', { bytes }, { signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
    // What were sent would have been done before this.
    expect(await client.call('times10', { items: [1] })).toEqual([10]);
    expect([...bytes]).toEqual([1, 0]);
  });
});

describe('the end of a call in the thread', () => {
  /** A call, how often its end was told, and what it was answered. */
  const watched = (
    call: (options: { readonly onEnded: () => void }) => Promise<unknown>,
  ): { readonly answer: Promise<unknown>; readonly ended: Promise<void>; readonly count: () => number } => {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    let count = 0;
    const onEnded = (): void => {
      count += 1;
      resolve();
    };
    const answer = call({ onEnded }).catch((error: unknown) => error);
    return { answer, ended, count: () => count };
  };

  test('is told once for an answer and for a failure, before either', async () => {
    const client = await start();
    for (const items of [[1], [-1]]) {
      const call = watched((options) => client.call('times10', { items }, options));
      await call.answer;
      expect([call.count(), client.openCalls]).toEqual([1, 0]);
    }
  });

  test('of an aborted call is told when the thread is done with it, after the caller has its answer', async () => {
    const client = await start();
    const controller = new AbortController();
    const reason = new Interruption('lease-lost', 'the lease is gone');
    const block = watched(({ onEnded }) =>
      client.call('block', { milliseconds: 100 }, { signal: controller.signal, onEnded }),
    );
    controller.abort(reason);
    expect(await block.answer).toBe(reason);
    expect([block.count(), client.openCalls]).toEqual([0, 1]);
    await block.ended;
    expect([block.count(), client.openCalls]).toEqual([1, 0]);
  });

  test('is told where the call never reaches the thread', async () => {
    const client = await start();
    const aborted = watched(({ onEnded }) =>
      client.call('convolve', null, { signal: AbortSignal.abort(new Error('before')), onEnded }),
    );
    const unclonable = watched((options) =>
      client.call('times10', { items: [() => 1] } as unknown as { items: number[] }, options),
    );
    await Promise.all([aborted.answer, unclonable.answer]);
    await client.close();
    const late = watched((options) => client.call('convolve', null, options));
    await late.answer;
    expect([aborted.count(), unclonable.count(), late.count(), client.openCalls]).toEqual([1, 1, 1, 0]);
  });

  test.each(['dies', 'is closed'] as const)('is told when the thread %s, once it is gone', async (how) => {
    const client = await start();
    const block = watched((options) => client.call('block', { milliseconds: 100 }, options));
    const answered = block.answer.then(() => block.count());
    if (how === 'dies') await client.call('die', null).catch(() => undefined);
    else void client.close();
    if (how === 'is closed') expect(await answered).toBe(0);
    await block.ended;
    // What was answered before may end first.
    await client.close();
    expect([block.count(), client.openCalls]).toEqual([1, 0]);
  });
});

test('a start that is given up rejects with the reason, and the thread is gone', async () => {
  const reason = new Interruption('shutdown', 'stop');
  const controller = new AbortController();
  const starting = ThreadClient.start('fixture', entry, { fail: false }, controller.signal);
  controller.abort(reason);
  await expect(starting).rejects.toBe(reason);
  await expect(ThreadClient.start('fixture', entry, { fail: false }, controller.signal)).rejects.toBe(reason);
});

test('a thread whose modules cannot be loaded says so', async () => {
  const absent = new URL('./absent-entry.ts', import.meta.url);
  await expect(ThreadClient.start('fixture', absent, {})).rejects.toMatchObject({
    code: 'INSTALL_BROKEN',
    message: expect.stringContaining('absent-entry.ts'),
  });
});

describe('the end of the thread', () => {
  test('by its own death rejects what is pending and every later call', async () => {
    const client = await start();
    const calls = [client.call('die', null), client.call('block', { milliseconds: 1 })];
    const later = client.call('times10', { items: [1] });
    await Promise.allSettled([...calls, later]);
    const error = await client.call('convolve', null).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'INFERENCE_THREAD_DIED', class: 'system' });
    expect(String((error as Failure).cause)).toContain('out of the blue');
  });

  test('by close rejects what is pending with an interruption, and can be asked twice', async () => {
    const client = await start();
    const pending = client.call('block', { milliseconds: 50 });
    const closed = [client.close(), client.close()];
    await expect(pending).rejects.toBeInstanceOf(Interruption);
    await Promise.all(closed);
    await expect(client.call('convolve', null)).rejects.toMatchObject({ kind: 'shutdown' });
  });
});
