import { afterEach, describe, expect, test } from '@jest/globals';
import type { FrameHandle, ModelChain } from '../../../src/chain/model-chain.ts';
import { threadedChain, type Pipeline } from '../../../src/chain/threaded-chain.ts';
import type { LanguageMethods, VisionMethods } from '../../../src/chain/threads.ts';
import { ThreadClient, threadEntry } from '../../../src/inference/thread/thread-client.ts';
import { createFramePool } from '../../../src/video/frames/frame-pool.ts';
import type { FixtureAsk } from './fixture-models.ts';

const SIZE = { width: 4, height: 2 };
const BYTES = SIZE.width * SIZE.height * 3;
const entry = threadEntry(import.meta.url, './fixture-models');
const open: ModelChain[] = [];

afterEach(async () => {
  for (const chain of open.splice(0)) await chain.close();
});

async function openChain(pipelines = 1, peopleApart = false): Promise<ModelChain> {
  const start = async (name: number): Promise<Pipeline> => {
    const frames = await ThreadClient.start<VisionMethods>('vision', entry, { name });
    return {
      frames,
      people: peopleApart ? await ThreadClient.start<VisionMethods>('people', entry, { name: name + 20 }) : frames,
      language: await ThreadClient.start<LanguageMethods>('language', entry, { name: name + 10 }),
    };
  };
  const [first, ...others] = await Promise.all(Array.from({ length: pipelines }, (_, i) => start(i + 1)));
  const description = { packName: 'fixture', packFingerprint: '', device: 'cpu', vocabulary: [] } as const;
  const chain = threadedChain(description, [first!, ...others], null);
  open.push(chain);
  return chain;
}

/** A frame of a pool in the chain, and whether its memory is still out. */
function lendFrame(chain: ModelChain, level = 7): { readonly handle: FrameHandle; readonly isOut: () => boolean } {
  const pool = createFramePool();
  const { pixels, release } = pool.take(BYTES);
  pixels.fill(level);
  const handle = chain.addFrame({ sample: 0, index: 0, t: 0, ...SIZE, pixels, release });
  return { handle, isOut: () => pool.stats().lent === 1 };
}

interface Asked {
  readonly answer: Promise<unknown>;
  readonly begun: Promise<unknown>;
  readonly letGo: () => void;
}

function ask(
  chain: ModelChain,
  handle: FrameHandle,
  how: FixtureAsk['how'],
  signal: AbortSignal,
  stage: 'detection' | 'orientation' = 'detection',
): Asked {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const call = chain[stage] as unknown as (
    handle: FrameHandle,
    ask: FixtureAsk,
    signal: AbortSignal,
  ) => Promise<unknown>;
  const answer = call(handle, { how, gate }, signal).catch((error: unknown) => error);
  const begun = Promise.resolve(Atomics.waitAsync(gate, 1, 0).value);
  const letGo = (): void => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  };
  return { answer, begun, letGo };
}

/** Resolves when the thread has answered everything that was sent to it before. */
async function settled(chain: ModelChain): Promise<void> {
  await chain.timings();
}

const never = new AbortController().signal;

describe('the memory of a frame', () => {
  test('is read in place and comes back with the handle', async () => {
    const chain = await openChain();
    const { handle, isOut } = lendFrame(chain, 9);
    expect([...(await chain.jpeg(handle, {}, never))]).toEqual(Array.from({ length: BYTES }, () => 9));
    expect(isOut()).toBe(true);
    chain.releaseFrame(handle);
    expect(isOut()).toBe(false);
  });

  test('stays out while an aborted call still reads it', async () => {
    const chain = await openChain();
    const { handle, isOut } = lendFrame(chain);
    const controller = new AbortController();
    const call = ask(chain, handle, 'read', controller.signal);
    await call.begun;
    const reason = new Error('the lease is gone');
    controller.abort(reason);
    expect(await call.answer).toBe(reason);
    chain.releaseFrame(handle);
    expect(isOut()).toBe(true);
    call.letGo();
    await settled(chain);
    expect(isOut()).toBe(false);
  });

  test('comes back after a failed call, and one that waits behind it', async () => {
    const chain = await openChain();
    const { handle, isOut } = lendFrame(chain);
    const failing = ask(chain, handle, 'fail', never);
    const waiting = ask(chain, handle, 'read', never);
    waiting.letGo();
    await failing.begun;
    chain.releaseFrame(handle);
    expect(isOut()).toBe(true);
    failing.letGo();
    expect(await failing.answer).toMatchObject({ message: 'no answer' });
    expect(await waiting.answer).toMatchObject({ before: 7, after: 7 });
    expect(isOut()).toBe(false);
  });

  test('comes back from a thread that died, once it is gone', async () => {
    const chain = await openChain();
    const { handle, isOut } = lendFrame(chain);
    const dying = ask(chain, handle, 'die', never);
    const waiting = ask(chain, handle, 'read', never);
    chain.releaseFrame(handle);
    await dying.begun;
    expect(isOut()).toBe(true);
    dying.letGo();
    await dying.answer;
    waiting.letGo();
    await waiting.answer;
    await chain.close();
    expect(isOut()).toBe(false);
    expect(() => lendFrame(chain)).not.toThrow();
  });

  test('comes back when the chain is closed, after the call that reads it', async () => {
    const chain = await openChain();
    const { handle, isOut } = lendFrame(chain);
    const call = ask(chain, handle, 'read', never);
    await call.begun;
    const closed = chain.close();
    expect(await call.answer).toMatchObject({ kind: 'shutdown' });
    expect(isOut()).toBe(true);
    call.letGo();
    await closed;
    expect(isOut()).toBe(false);
  });

  test('of a call that is not made any more comes back at once', async () => {
    const chain = await openChain();
    const { handle, isOut } = lendFrame(chain);
    await ask(chain, handle, 'read', AbortSignal.abort(new Error('before'))).answer;
    chain.releaseFrame(handle);
    expect(isOut()).toBe(false);
  });
});

test('of several pipelines the least busy one takes a call, whichever frame it is about', async () => {
  const chain = await openChain(3);
  const { handle } = lendFrame(chain);
  const calls = [1, 2, 3].map(() => ask(chain, handle, 'read', never));
  for (const call of calls) await call.begun;
  for (const call of calls) call.letGo();
  const names = await Promise.all(calls.map(async (call) => ((await call.answer) as { readonly name: number }).name));
  expect(names.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  // Vision threads 1 to 3, language threads 11 to 13.
  expect((await chain.timings()).detection.items).toBe(6 + 36);
  chain.releaseFrame(handle);
});

test('models of people in a thread of their own answer while the frames are detected', async () => {
  const chain = await openChain(1, true);
  const { handle } = lendFrame(chain);
  const detected = ask(chain, handle, 'read', never);
  await detected.begun;
  const read = ask(chain, handle, 'read', never, 'orientation');
  read.letGo();
  expect(await read.answer).toMatchObject({ name: 21 });
  detected.letGo();
  expect(await detected.answer).toMatchObject({ name: 1 });
  chain.releaseFrame(handle);
});
