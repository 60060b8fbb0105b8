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

  test('hand buffers over in both directions', async () => {
    const client = await start();
    const bytes = Uint8Array.of(1, 2, 3);
    const answer = await client.call('reverse', { bytes }, { transfer: [bytes.buffer] });
    expect([...answer]).toEqual([3, 2, 1]);
    expect(bytes.length).toBe(0);
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
    const bytes = Uint8Array.of(1);
    const call = client.call('reverse', { bytes }, { signal: AbortSignal.abort(reason), transfer: [bytes.buffer] });
    await expect(call).rejects.toBe(reason);
    expect(bytes.length).toBe(1);
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
