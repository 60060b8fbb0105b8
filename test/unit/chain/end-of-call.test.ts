import { describe, expect, test } from '@jest/globals';
import { joinReading } from '../../../src/chain/language-stage.ts';
import type { StageOptions } from '../../../src/chain/stage.ts';
import { visionStage } from '../../../src/chain/vision-stage.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { BatchQueue } from '../../../src/inference/thread/batch-queue.ts';
import type { Pack } from '../../../src/packs/load-pack.ts';
import type { Box } from '../../../src/vision/box.ts';
import type { Picture } from '../../../src/vision/picture.ts';

const frame: Picture = { width: 4, height: 1, pixels: new Uint8Array(4 * 3) };
const refused = new Error('no');

type Call = (frame: Picture, places: readonly number[], signal: AbortSignal) => Promise<readonly number[]>;

/** A model that reads one pixel at a time of what is asked, and waits with each until it is told to go on. */
interface Held {
  /** The pixels in the order in which they were begun. */
  readonly begun: number[];
  /** Ends the reading that is under way; the next one has begun, or nothing is left, when it resolves. */
  readonly end: (error?: Error) => Promise<void>;
}

function heldModel(): Held & { readonly read: (place: number) => Promise<number> } {
  const begun: number[] = [];
  let current = Promise.withResolvers<void>();
  return {
    begun,
    read: async (place) => {
      begun.push(place);
      current = Promise.withResolvers<void>();
      await current.promise;
      return place;
    },
    end: async (error) => {
      if (error === undefined) current.resolve();
      else current.reject(error);
      await turns();
    },
  };
}

/** Long enough for whatever needs no more than what is there. */
async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

const meter = stageMeter();

async function visionCall(): Promise<Held & { readonly call: Call }> {
  const held = heldModel();
  const stage = visionStage({
    batch: 'people',
    open: async () => ({
      run: async (places: readonly number[]) => await Promise.all(places.map(held.read)),
      releaseAbove: async () => undefined,
      release: async () => undefined,
    }),
    items: (_frame, places: readonly number[]) => places,
    answer: (results) => results,
    warmup: () => 0,
  });
  const open = await stage.open({} as Pack, { meter } as StageOptions);
  const join = open.join(new BatchQueue(), 1);
  return { ...held, call: (picture, places, signal) => join(picture, [places], signal) };
}

async function languageCall(): Promise<Held & { readonly call: Call }> {
  const held = heldModel();
  const box = (x1: number): Box => ({ x1, y1: 0, x2: x1 + 1, y2: 1 });
  const call = joinReading(
    {
      boxes: (_frame, places: readonly number[]) => places.map(box),
      answer: (results) => results as readonly number[],
    },
    new BatchQueue(),
    { limit: 1, meter, run: async (areas) => await Promise.all(areas.map(({ window }) => held.read(window.x1))) },
  );
  return { ...held, call };
}

/** What a call has come to. */
function watched(answer: Promise<unknown>): { outcome: unknown } {
  const state: { outcome: unknown } = { outcome: 'open' };
  answer.then(
    (value) => (state.outcome = value),
    (error: unknown) => (state.outcome = error),
  );
  return state;
}

describe.each([
  ['vision', visionCall],
  ['language', languageCall],
])('a call of the %s thread', (_name, open) => {
  test('answers when all is read', async () => {
    const { begun, end, call } = await open();
    const state = watched(call(frame, [0, 1, 2], new AbortController().signal));
    await turns();
    for (const _ of [1, 2]) await end();
    expect([begun, state.outcome]).toEqual([[0, 1, 2], 'open']);
    await end();
    expect(state.outcome).toEqual([0, 1, 2]);
  });

  test('that failed ends when nothing of it reads the frame any more', async () => {
    const { begun, end, call } = await open();
    const state = watched(call(frame, [0, 1, 2], new AbortController().signal));
    await turns();
    await end(refused);
    expect([begun, state.outcome]).toEqual([[0, 1], 'open']);
    await end();
    expect([begun, state.outcome]).toEqual([[0, 1, 2], 'open']);
    await end();
    expect(state.outcome).toBe(refused);
  });

  test('that was given up ends when what was under way has ended, and nothing more is begun', async () => {
    const { begun, end, call } = await open();
    const controller = new AbortController();
    const given = new Error('given up');
    const state = watched(call(frame, [0, 1, 2], controller.signal));
    await turns();
    await end(refused);
    expect(begun).toEqual([0, 1]);
    controller.abort(given);
    await turns();
    expect(state.outcome).toBe('open');
    await end();
    expect([begun, state.outcome]).toEqual([[0, 1], refused]);
  });

  test('that was given up before its first item has ended is held by that one alone', async () => {
    const { begun, end, call } = await open();
    const controller = new AbortController();
    const state = watched(call(frame, [0, 1], controller.signal));
    const behind = watched(call(frame, [3], new AbortController().signal));
    await turns();
    controller.abort(new Error('given up'));
    await turns();
    expect([begun, state.outcome]).toEqual([[0], 'open']);
    await end();
    expect(begun).toEqual([0, 3]);
    expect(state.outcome).toMatchObject({ message: 'given up' });
    expect(behind.outcome).toBe('open');
    await end();
    expect(behind.outcome).toEqual([3]);
  });
});
