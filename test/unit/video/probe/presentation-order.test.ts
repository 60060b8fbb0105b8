import { describe, expect, test } from '@jest/globals';
import { PresentationOrder, type PacketStamps } from '../../../../src/video/probe/presentation-order.ts';

type Stamp = readonly [pts: number | null, dts: number | null];

/** Frames of 10, in the order of decoding I0 P3 B1 B2 P6 B4 B5 ..., kept back by one frame. */
const WITH_B_FRAMES: readonly Stamp[] = Array.from({ length: 30 }, (_, at) => {
  const shown = at === 0 ? 0 : at % 3 === 1 ? at + 2 : at - 1;
  return [shown * 10, at * 10 - 10] as const;
});

function timesOf(stamps: readonly (Stamp | PacketStamps)[]): (number | null)[] {
  const times: (number | null)[] = [];
  const order = new PresentationOrder((micros) => times.push(micros));
  for (const stamp of stamps) order.push('isShown' in stamp ? stamp : { pts: stamp[0], dts: stamp[1], isShown: true });
  order.end();
  return times;
}

const evenly = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at * 10);

describe('the times of packets', () => {
  test('go on evenly where pictures are shown in another order than they are decoded', () => {
    expect(timesOf(WITH_B_FRAMES)).toEqual(evenly(30));
  });

  test('are the same where the container leaves out the order of decoding at first, or altogether at its beginning', () => {
    const late = WITH_B_FRAMES.map(([pts, dts], at): Stamp => [pts, at < 2 ? null : dts]);
    expect(timesOf(late)).toEqual(evenly(30));
  });

  test('are left as they are where some packets have none', () => {
    const every = Array.from({ length: 40 }, (_, at): Stamp => (at % 2 === 0 ? [at * 10, at * 10] : [null, null]));
    expect(timesOf(every)).toEqual(every.map(([pts]) => pts));
  });

  test('begin with the first picture that is shown, not with the first that is decoded', () => {
    // An open group of pictures: two lie before the first one that could be decoded.
    const open: Stamp[] = [
      [20, -10],
      [0, 0],
      [10, 10],
      [50, 20],
      [30, 30],
      [40, 40],
    ];
    expect(timesOf(open)).toEqual(evenly(6));
  });

  test('are those of decoding where nothing else is told, and those of showing where that is', () => {
    expect(
      timesOf([
        [null, 5],
        [null, 15],
      ]),
    ).toEqual([5, 15]);
    expect(
      timesOf([
        [5, null],
        [15, null],
      ]),
    ).toEqual([5, 15]);
    expect(timesOf([[null, null]])).toEqual([null]);
  });

  test('are not moved by a clock that begins again among the first packets', () => {
    const again: Stamp[] = [
      [9_000_000, 8_999_990],
      [9_000_010, 9_000_000],
      [0, -10],
      [10, 0],
    ];
    expect(timesOf(again)).toEqual([9_000_000, 9_000_010, 0, 10]);
  });

  test('leave out what an edit leaves out, and are not moved by it', () => {
    const edited = WITH_B_FRAMES.map(([pts, dts]) => ({ pts, dts, isShown: (pts ?? 0) >= 40 }));
    expect(timesOf(edited)).toEqual(evenly(30).filter((_, at) => (WITH_B_FRAMES[at]?.[0] ?? 0) >= 40));
  });
});
