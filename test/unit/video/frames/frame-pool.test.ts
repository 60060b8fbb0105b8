import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { createFramePool, type FrameSlot } from '../../../../src/video/frames/frame-pool.ts';
import { HandClock } from '../../../harness/hand-clock.ts';

const HD = 1920 * 1080 * 3;

describe('memory of frames', () => {
  test('is shared, and as long as it was asked for from its first byte on', () => {
    const { pixels } = createFramePool().take(1000);
    expect(pixels.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([pixels.byteOffset, pixels.length]).toEqual([0, 1000]);
  });

  test('is lent again once it is released, the latest first', () => {
    const pool = createFramePool({ clock: new HandClock() });
    const [first, second] = [pool.take(HD), pool.take(HD)];
    expect(first.pixels.buffer).not.toBe(second.pixels.buffer);
    first.release();
    second.release();
    expect(pool.take(HD).pixels.buffer).toBe(second.pixels.buffer);
    expect(pool.take(HD).pixels.buffer).toBe(first.pixels.buffer);
    expect(pool.stats()).toMatchObject({ lent: 2, idle: 0 });
  });

  test('is not lent while somebody holds it, however many ask', () => {
    const pool = createFramePool({ clock: new HandClock() });
    const memories = new Set(Array.from({ length: 20 }, () => pool.take(HD).pixels.buffer));
    expect(memories.size).toBe(20);
    expect(pool.stats().lent).toBe(20);
  });

  test('is not taken from its present borrower by what an earlier one says again', () => {
    const pool = createFramePool({ clock: new HandClock() });
    const early = pool.take(HD);
    early.release();
    const present = pool.take(HD);
    expect(present.pixels.buffer).toBe(early.pixels.buffer);
    early.release();
    expect(pool.stats()).toMatchObject({ lent: 1, idle: 0 });
    expect(pool.take(HD).pixels.buffer).not.toBe(present.pixels.buffer);
    present.release();
    present.release();
    expect(pool.stats()).toMatchObject({ lent: 1, idle: 1 });
  });

  test('serves videos of about one size, and wastes at most a quarter', () => {
    const pool = createFramePool({ clock: new HandClock() });
    const { pixels, release } = pool.take(768 * 432 * 3);
    release();
    expect(pool.take(770 * 434 * 3).pixels.buffer).toBe(pixels.buffer);
    for (let bytes = 4_096; bytes < 40_000_000; bytes = Math.ceil(bytes * 1.07)) {
      const capacity = pool.take(bytes).pixels.buffer.byteLength;
      expect(capacity).toBeGreaterThanOrEqual(bytes);
      expect(capacity).toBeLessThanOrEqual(bytes * 1.25);
    }
  });

  test.each([0, -3, 1.5, Number.NaN])('is refused for a frame of %p bytes', (bytes) => {
    expect(() => createFramePool().take(bytes)).toThrow(RangeError);
  });
});

test('memory that is lost without a release counts no longer once it is collected, and is never lent again', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const pool = createFramePool({ clock: new HandClock() });
  const lost = (): void => {
    for (let i = 0; i < 3; i++) pool.take(1_000);
  };
  const held = pool.take(1_000);
  lost();
  expect(pool.stats().lent).toBe(4);
  while (pool.stats().lent > 1) {
    collect();
    await new Promise(setImmediate);
  }
  expect(pool.stats()).toEqual({ lent: 1, idle: 0, bytes: held.pixels.buffer.byteLength });
  held.release();
  expect(pool.stats()).toMatchObject({ lent: 0, idle: 1 });
});

describe('idle memory', () => {
  test('goes when it has lain long enough, and takes the timer with it', async () => {
    const clock = new HandClock();
    const pool = createFramePool({ clock, maxIdleMs: 5_000 });
    const slots = Array.from({ length: 3 }, () => pool.take(HD));
    slots[0]?.release();
    await clock.advance(4_000);
    slots[1]?.release();
    expect([pool.stats().idle, clock.timers]).toEqual([2, 1]);
    await clock.advance(1_000);
    expect([pool.stats().idle, clock.timers]).toEqual([1, 1]);
    await clock.advance(4_000);
    expect(pool.stats()).toMatchObject({ lent: 1, idle: 0 });
    expect(clock.timers).toBe(0);
  });

  test('stays as far as it is used, and what is too much of it goes', async () => {
    const clock = new HandClock();
    const pool = createFramePool({ clock, maxIdleMs: 5_000 });
    const burst = Array.from({ length: 8 }, () => pool.take(HD));
    for (const { release } of burst) release();
    // Two at a time from now on.
    for (let second = 0; second < 20; second++) {
      const pair = [pool.take(HD), pool.take(HD)];
      await clock.advance(1_000);
      for (const { release } of pair) release();
    }
    expect(pool.stats()).toMatchObject({ lent: 0, idle: 2 });
  });

  test('is bounded, and the oldest goes first', () => {
    const pool = createFramePool({ clock: new HandClock(), maxIdleBytes: 3_000_000 });
    const slots = Array.from({ length: 5 }, () => pool.take(1_000_000));
    for (const { release } of slots) release();
    expect(pool.stats()).toMatchObject({ idle: 2, bytes: 2 << 20 });
    expect(pool.take(1_000_000).pixels.buffer).toBe(slots[4]?.pixels.buffer);
    expect(pool.take(1_000_000).pixels.buffer).toBe(slots[3]?.pixels.buffer);
    expect(pool.stats().idle).toBe(0);
    pool.take(1_000_000);
    const alone: FrameSlot = pool.take(5_000_000);
    alone.release();
    expect(pool.stats()).toMatchObject({ lent: 3, idle: 0 });
  });

  test('is lent again also where it was dropped, as long as it is not collected', async () => {
    const clock = new HandClock();
    const pool = createFramePool({ clock, maxIdleMs: 5_000, maxIdleBytes: 20 << 20 });
    const round = async (): Promise<readonly SharedArrayBuffer[]> => {
      const slots = Array.from({ length: 16 }, () => pool.take(4 << 20));
      for (const { release } of slots) release();
      // None is idle any more, five were until now.
      await clock.advance(5_000);
      expect(pool.stats()).toEqual({ lent: 0, idle: 0, bytes: 0 });
      return slots.map(({ pixels }) => pixels.buffer);
    };
    const first = new Set(await round());
    const second = new Set(await round());
    expect(second.size).toBe(16);
    expect([...second].every((memory) => first.has(memory))).toBe(true);
    expect(pool.take(1 << 20).pixels.length).toBe(1 << 20);
  });

  test('counts with what is lent', () => {
    const pool = createFramePool({ clock: new HandClock() });
    const [one] = [pool.take(1 << 20), pool.take(1 << 21)];
    expect(pool.stats().bytes).toBe(3 << 20);
    one?.release();
    expect(pool.stats().bytes).toBe(3 << 20);
  });
});
