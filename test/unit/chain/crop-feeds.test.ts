import { expect, test } from '@jest/globals';
import type { Tensor } from 'onnxruntime-node';
import { cropFeeds, cropSize, type Crop } from '../../../src/chain/crop-feeds.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import type { Box } from '../../../src/vision/box.ts';
import { letterboxSource } from '../../../src/vision/crop-source.ts';
import type { Picture } from '../../../src/vision/picture.ts';
import { grey } from '../vision/pictures.ts';

const SIZE = { width: 2, height: 2 };
// Pixel (x, y) has the level 10 * y + x.
const frame = grey(...[0, 1, 2, 3].map((y) => [0, 1, 2, 3, 4].map((x) => 10 * y + x)));

function cropOf(picture: Picture, window: Box, blanks: readonly Box[] = []): Crop {
  return { frame: picture, source: letterboxSource({ window, blanks }, SIZE) };
}

function values(tensor: Tensor | undefined): number[] {
  return [...(tensor!.data as Int32Array)];
}

/** The red level of every pixel. */
function pixels(feeds: Readonly<Record<string, Tensor>>): number[] {
  return values(feeds['pixels']).filter((_, i) => i % 3 === 0);
}

test('the windows travel behind a black pixel, not the frame', () => {
  const crops = [cropOf(frame, { x1: 1, y1: 1, x2: 3, y2: 3 }), null, cropOf(frame, { x1: 0, y1: 3, x2: 5, y2: 4 })];
  const feeds = cropFeeds(SIZE, false)(crops);
  expect(pixels(feeds)).toEqual([0, 11, 12, 21, 22, 30, 31, 32, 33, 34]);
  expect(values(feeds['places'])).toEqual([1, 2, 0, 0, 5, 5]);
  expect(Object.keys(feeds)).toEqual(['pixels', 'places', 'columns', 'rows']);
  // Low and high positions, low and high weights: each pixel for itself, then the crop that is nowhere.
  expect(values(feeds['columns']).slice(0, 16)).toEqual([0, 1, 1, 1, 2048, 2048, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(feeds['rows']!.dims).toEqual([3, 4, 2]);
});

test('of a window that is made smaller only the lines that are read travel', () => {
  // Line y has the level y.
  const tall = grey(...Array.from({ length: 8 }, (_, y) => [y, y, y, y, y, y, y, y]));
  const blank = { x1: 0, y1: 2, x2: 8, y2: 6 };
  const feeds = cropFeeds(SIZE, true)([cropOf(tall, { x1: 0, y1: 0, x2: 8, y2: 8 }, [blank])]);
  expect(pixels(feeds)).toEqual([0, ...[1, 2, 5, 6].flatMap((level) => Array.from({ length: 8 }, () => level))]);
  expect(values(feeds['rows'])).toEqual([0, 2, 1, 3, 1024, 1024, 1024, 1024]);
  expect(values(feeds['blanks'])).toEqual([0, 1, 8, 3]);
});

test('a frame of which more is wanted than it has travels whole and once, others by their windows', () => {
  const other = grey([7, 8, 9]);
  const crops = [
    cropOf(frame, { x1: 0, y1: 0, x2: 4, y2: 4 }),
    cropOf(other, { x1: 1, y1: 0, x2: 2, y2: 1 }),
    cropOf(frame, { x1: 2, y1: 1, x2: 4, y2: 4 }),
  ];
  const feeds = cropFeeds(SIZE, false)(crops);
  expect(feeds['pixels']!.dims).toEqual([1 + 20 + 1, 3]);
  expect(pixels(feeds).slice(1, 6)).toEqual([0, 1, 2, 3, 4]);
  expect(pixels(feeds).at(-1)).toBe(8);
  expect(values(feeds['places'])).toEqual([1, 5, 21, 1, 1 + 5 + 2, 5]);
});

test('every crop has as many rectangles as the one with most, empty ones where it has fewer, and never none', () => {
  const window = { x1: 0, y1: 0, x2: 2, y2: 2 };
  const [a, b] = [
    { x1: 0, y1: 0, x2: 1, y2: 2 },
    { x1: 1, y1: 1, x2: 2, y2: 2 },
  ];
  const feeds = cropFeeds(SIZE, true);
  const some = feeds([cropOf(frame, window, [a]), cropOf(frame, window, [a, b])])['blanks'];
  expect(some!.dims).toEqual([2, 2, 4]);
  expect(values(some)).toEqual([0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 1, 2, 1, 1, 2, 2]);
  expect(feeds([cropOf(frame, window)])['blanks']!.dims).toEqual([1, 1, 4]);
});

test('a smaller batch behind a larger one does not see its pixels', () => {
  const feeds = cropFeeds(SIZE, false);
  feeds([cropOf(frame, { x1: 0, y1: 0, x2: 5, y2: 4 })]);
  expect(pixels(feeds([cropOf(frame, { x1: 4, y1: 2, x2: 5, y2: 3 })]))).toEqual([0, 24]);
});

test('taps of an earlier batch are gone: from a smaller one, and where a crop is nowhere now', () => {
  const feeds = cropFeeds(SIZE, false);
  const all = cropOf(frame, { x1: 0, y1: 0, x2: 5, y2: 4 });
  const pixel = cropOf(frame, { x1: 4, y1: 2, x2: 5, y2: 3 });
  const taps = (crops: readonly (Crop | null)[], make = feeds) => {
    const { columns, rows } = make(crops);
    return [columns, rows].map((tensor) => ({ dims: tensor!.dims, taps: values(tensor) }));
  };
  taps([all, all, all, all]);
  for (const crops of [[all, null, all], [null, pixel], [pixel, null], [null]]) {
    expect(taps(crops)).toEqual(taps(crops, cropFeeds(SIZE, false)));
  }
  const nowhere = Array.from({ length: 8 }, () => 0);
  expect(taps([null]).map(({ taps: none }) => none)).toEqual([nowhere, nowhere]);
});

test('a graph without the inputs of the crops is refused', async () => {
  const { ageGender } = (await loadPack('models/demo')).manifest;
  expect(() => cropSize(ageGender.model)).toThrow(/age_gender\.onnx: expected an input columns/);
});
