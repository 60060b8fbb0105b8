import { describe, expect, test } from '@jest/globals';
import { LentFrames } from '../../../src/chain/lent-frames.ts';
import type { FrameHandle } from '../../../src/chain/model-chain.ts';
import type { Frame } from '../../../src/video/frame.ts';

interface CountedFrame {
  readonly frame: Frame;
  readonly releases: () => number;
}

function countedFrame(bytes = 4 * 2 * 3, offset = 0): CountedFrame {
  let releases = 0;
  const pixels = new Uint8Array(new SharedArrayBuffer(bytes + offset), offset, bytes);
  const release = (): void => void (releases += 1);
  return { frame: { sample: 0, index: 7, t: 0, width: 4, height: 2, pixels, release }, releases: () => releases };
}

describe('a frame goes back', () => {
  test('when its handle is released and nothing reads it', () => {
    const frames = new LentFrames();
    const { frame, releases } = countedFrame();
    const handle = frames.add(frame);
    expect(releases()).toBe(0);
    frames.release(handle);
    expect(releases()).toBe(1);
  });

  test('only after the last of the calls that read it has ended', () => {
    const frames = new LentFrames();
    const { frame, releases } = countedFrame();
    const handle = frames.add(frame);
    const first = frames.lend(handle);
    const second = frames.lend(handle);
    first.end();
    frames.release(handle);
    expect(releases()).toBe(0);
    second.end();
    expect(releases()).toBe(1);
  });

  test('once, however often its handle is released', () => {
    const frames = new LentFrames();
    const { frame, releases } = countedFrame();
    const handle = frames.add(frame);
    const loan = frames.lend(handle);
    frames.release(handle);
    frames.release(handle);
    frames.releaseAll();
    loan.end();
    expect(releases()).toBe(1);
  });

  test('and stays while its owner holds it, though no call reads it', () => {
    const frames = new LentFrames();
    const { frame, releases } = countedFrame();
    const handle = frames.add(frame);
    frames.lend(handle).end();
    expect(releases()).toBe(0);
    expect(frames.lend(handle).picture).toMatchObject({ width: 4, height: 2, memory: frame.pixels.buffer });
  });

  test("never where it is refused, since its memory is not its pixels: it stays the caller's", () => {
    const frames = new LentFrames();
    for (const wrong of [countedFrame(23), countedFrame(24, 8)]) {
      expect(() => frames.add(wrong.frame)).toThrow(/frame 7 has .* expected 24 from 0 on for 4x2 RGB/);
      expect(wrong.releases()).toBe(0);
    }
  });

  test('under random calls, ends and releases exactly once each, never under a reader', () => {
    let seed = 3;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    const frames = new LentFrames();
    const live: { handle: FrameHandle; counted: CountedFrame; ends: (() => void)[]; released: boolean }[] = [];
    const wrongSteps: number[] = [];
    for (let step = 0; step < 5000; step++) {
      const entry = live[random(Math.max(1, live.length))];
      const action = random(4);
      if (action === 0 || entry === undefined) {
        const counted = countedFrame();
        live.push({ handle: frames.add(counted.frame), counted, ends: [], released: false });
      } else if (action === 1 && !entry.released) entry.ends.push(frames.lend(entry.handle).end);
      else if (action === 2) entry.ends.splice(random(Math.max(1, entry.ends.length)), 1).forEach((end) => end());
      else {
        frames.release(entry.handle);
        entry.released = true;
      }
      const wrong = live.filter(
        ({ counted, ends, released }) => counted.releases() !== (released && ends.length === 0 ? 1 : 0),
      );
      if (wrong.length > 0) wrongSteps.push(step);
      if (live.length > 20) {
        const [oldest] = live.splice(0, 1);
        oldest?.ends.forEach((end) => end());
      }
    }
    expect(wrongSteps).toEqual([]);
  });
});

test('a handle that is released or was never added lends nothing', () => {
  const frames = new LentFrames();
  const handle = frames.add(countedFrame().frame);
  frames.release(handle);
  expect(() => frames.lend(handle)).toThrow(/no frame has the handle 1/);
  expect(() => frames.lend(99 as FrameHandle)).toThrow(/no frame has the handle 99/);
});

test('two frames are lent together or not at all', () => {
  const frames = new LentFrames();
  const [one, other] = [countedFrame(), countedFrame()];
  const [handle, gone] = [frames.add(one.frame), frames.add(other.frame)];
  const loans = frames.lendBoth(handle, gone);
  frames.release(gone);
  expect(other.releases()).toBe(0);
  for (const { end } of loans) end();
  expect(other.releases()).toBe(1);
  expect(() => frames.lendBoth(handle, gone)).toThrow('no frame has the handle');
  frames.release(handle);
  expect(one.releases()).toBe(1);
});
