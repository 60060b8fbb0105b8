import { expect, test } from '@jest/globals';
import { frameBatch } from '../../../src/chain/detection/frame-batch.ts';
import { frameFit } from '../../../src/chain/detection/frame-fit.ts';
import { grey } from '../vision/pictures.ts';

test('of a frame of three times the size one line in three goes to the graph', () => {
  const { lines } = frameFit({ width: 1920, height: 1080 }, { width: 640, height: 640, fill: 114 });
  expect(lines.length).toBe(360);
  expect(lines.slice(0, 3)).toEqual([1, 4, 7]);
});

test('of another size two lines for each of the picture', () => {
  expect(frameFit({ width: 2560, height: 1440 }, { width: 640, height: 640, fill: 114 }).lines.length).toBe(720);
});

test.each([null, 114])('of a frame that is no larger than the picture all lines go (fill %s)', (fill) => {
  expect(frameFit({ width: 64, height: 48 }, { width: 64, height: 64, fill }).lines.length).toBe(48);
});

test('the batch holds these lines of each frame', () => {
  const frames = [grey([1, 2], [3, 4], [5, 6]), grey([7, 8], [9, 10], [11, 12])] as const;
  const batch = frameBatch();
  batch([grey([0, 0], [0, 0], [0, 0])], [0, 1, 2], 3);
  const { dims, data } = batch([...frames], [0, 2], 2);
  expect(dims).toEqual([2, 2, 2, 3]);
  expect([...(data as Uint8Array)].filter((_, i) => i % 3 === 0)).toEqual([1, 2, 5, 6, 7, 8, 11, 12]);
});
