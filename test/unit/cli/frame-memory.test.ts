import { describe, expect, test } from '@jest/globals';
import { executionPlan } from '../../../src/cli/execution-plan.ts';
import { fittingFrames, idleFrameBytes } from '../../../src/cli/frame-memory.ts';
import { decodeSettings } from '../../../src/cli/job-settings.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { createFramePool, type FrameSlot } from '../../../src/video/frames/frame-pool.ts';
import { HandClock } from '../../harness/hand-clock.ts';

const [MIB, GIB] = [1024 ** 2, 1024 ** 3];
const FOUR_K = 3840 * 2160;
const BURST = 16;
const ROUNDS = 8;
const upTo = (pixels: number) => loadConfig({ MAX_VIDEO_PIXELS: String(pixels) });

test('frames in flight and in the decoders of all videos fit into a quarter of the memory', () => {
  const largest = upTo(FOUR_K);
  for (const gib of [2, 4, 8, 16]) {
    for (const videosAtOnce of [1, 2, 3]) {
      const frames = fittingFrames(largest, { memoryBytes: gib * GIB, videosAtOnce });
      const bytes = (each: number): number => (each + 3) * videosAtOnce * FOUR_K * 3;
      expect(bytes(frames)).toBeLessThanOrEqual((gib * GIB) / 4);
      expect(bytes(frames + 1)).toBeGreaterThan((gib * GIB) / 4);
    }
  }
  expect(fittingFrames(largest, { memoryBytes: GIB / 2, videosAtOnce: 4 })).toBe(4);
});

describe('memory that frames may leave idle', () => {
  test('is that of all frames that the videos hold, and no less than 256 MiB', () => {
    // 24 MiB for a picture in 4K.
    expect(idleFrameBytes(upTo(FOUR_K), 32, 1)).toBe(35 * 24 * MIB);
    expect(idleFrameBytes(upTo(FOUR_K), 16, 2)).toBe(38 * 24 * MIB);
    expect(idleFrameBytes(upTo(FOUR_K), 4, 1)).toBe(256 * MIB);
  });

  test('is as much for what is decoded with a plan', () => {
    const config = upTo(FOUR_K);
    const { pool } = decodeSettings(config, { decoderThreads: 1, framesInFlight: 32 }, null);
    const slots = Array.from({ length: 36 }, () => pool.take(FOUR_K * 3));
    for (const { release } of slots) release();
    expect(pool.stats().idle).toBe(35);
    const alone = decodeSettings(config, null).pool;
    const others = Array.from({ length: 36 }, () => alone.take(FOUR_K * 3));
    for (const { release } of others) release();
    expect(alone.stats().idle).toBe(10);
  });

  test('suffices for 32 frames in 4K that come back by 16: the same memory is used again, and all of it counts', () => {
    const config = upTo(FOUR_K);
    const workload = { device: 'cuda', cores: 8, memoryBytes: 16 * GIB, packBytes: GIB, videosAtOnce: 1 } as const;
    const { framesInFlight } = executionPlan(config, workload);
    expect(framesInFlight).toBe(32);
    const pool = createFramePool({ clock: new HandClock(), maxIdleBytes: idleFrameBytes(config, framesInFlight, 1) });
    const memories = new Set<SharedArrayBuffer>();
    const held: FrameSlot[] = [];
    const fill = (): void => {
      while (held.length < framesInFlight + 3) held.push(pool.take(FOUR_K * 3));
      for (const { pixels } of held) memories.add(pixels.buffer);
    };
    fill();
    for (let round = 0; round < ROUNDS; round++) {
      for (const { release } of held.splice(0, BURST)) release();
      expect(pool.stats()).toEqual({ lent: 35 - BURST, idle: BURST, bytes: 35 * 24 * MIB });
      fill();
    }
    expect(memories.size).toBe(35);
  });
});
