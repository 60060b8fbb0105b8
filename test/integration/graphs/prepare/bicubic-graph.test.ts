import { beforeAll, describe, expect, test } from '@jest/globals';
import type { InferenceSession } from 'onnxruntime-node';
import { canvasFeeds } from '../../../../src/chain/fastvlm/picture-canvas.ts';
import { GraphBuilder } from '../../../../src/graphs/onnx/graph-builder.ts';
import { bicubicGraph } from '../../../../src/graphs/prepare/bicubic-graph.ts';
import { BICUBIC_TAPS } from '../../../../src/graphs/prepare/prepared-inputs.ts';
import { openSession } from '../../../../src/inference/providers.ts';
import { padSquare } from '../../../oracle/pad-square.ts';
import type { Picture } from '../../../../src/vision/picture.ts';
import { resizeBicubic } from '../../../oracle/resize-bicubic.ts';
import { wholeArea } from '../../../../src/vision/picture-area.ts';
import { createPixelKernel } from '../../../../src/vision/kernel/pixel-kernel.ts';

const SIZE = 64;
let session: InferenceSession;

beforeAll(async () => {
  const graph = new GraphBuilder('bicubic');
  const taps = [BICUBIC_TAPS, 'rows', SIZE] as const;
  const resized = bicubicGraph(graph, {
    canvas: graph.input('canvas', 'uint8', ['height', 'width', 3]),
    columns: graph.input('columns', 'int32', taps),
    columnWeights: graph.input('column_weights', 'int32', taps),
    lines: graph.input('lines', 'int32', taps),
    lineWeights: graph.input('line_weights', 'int32', taps),
    size: SIZE,
  });
  graph.output(resized, 'resized', 'int32', ['rows', SIZE, SIZE, 3]);
  session = await openSession(graph.toBytes(), { device: 'cpu', threads: 1 });
});

async function resizedByGraph(
  pictures: readonly Picture[],
  rows = pictures.length,
  feeds = canvasFeeds(createPixelKernel(), SIZE),
): Promise<readonly Uint8Array[]> {
  const { resized } = await session.run(feeds(pictures.map(wholeArea), rows));
  const data = resized?.data as Int32Array;
  const one = SIZE * SIZE * 3;
  return Array.from({ length: rows }, (_, i) => Uint8Array.from(data.subarray(i * one, (i + 1) * one)));
}

/** Black and white in hard edges, which overshoot, beside noise. */
function picture(width: number, height: number, seed: number): Picture {
  let state = seed;
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return i % 7 < 3 ? state >>> 24 : (state >>> 31) * 255;
  });
  return { width, height, pixels };
}

const plain = (given: Picture): Uint8Array => resizeBicubic(padSquare(given), SIZE, SIZE).pixels;

describe('bicubic resize in the graph', () => {
  test.each([
    ['taller', 17, 40],
    ['wider', 45, 11],
    ['of the size', 64, 64],
    ['one pixel', 1, 1],
    ['one line', 63, 1],
    ['one and a half times the size', 96, 70],
    ['a little larger', 65, 65],
    ['far larger', 300, 200],
  ])('%s: the same bytes as the plain resize', async (_, width, height) => {
    const given = picture(width, height, width * 1000 + height);
    const [found] = await resizedByGraph([given]);
    expect(Buffer.compare(found ?? Buffer.alloc(0), plain(given))).toBe(0);
  });

  test('a batch of different sizes gives each picture what it gets alone, and rows beyond it are black', async () => {
    const given = [picture(20, 50, 1), picture(90, 30, 2), picture(200, 100, 3), picture(64, 64, 4)];
    const found = await resizedByGraph(given, 8);
    given.forEach((one, i) => expect(Buffer.compare(found[i] ?? Buffer.alloc(0), plain(one))).toBe(0));
    for (const padding of found.slice(4)) expect(padding.every((level) => level === 0)).toBe(true);
  });

  test('a smaller batch behind a larger one is what it is alone, and rows beyond it are black', async () => {
    const feeds = canvasFeeds(createPixelKernel(), SIZE);
    const given = [picture(20, 50, 1), picture(90, 30, 2), picture(60, 80, 3), picture(64, 64, 4)];
    await resizedByGraph(given, 4, feeds);
    const found = await resizedByGraph(given.slice(0, 2), 4, feeds);
    given.slice(0, 2).forEach((one, i) => expect(Buffer.compare(found[i] ?? Buffer.alloc(0), plain(one))).toBe(0));
    for (const padding of found.slice(2)) expect(padding.every((level) => level === 0)).toBe(true);
  });

  test('every size up to half as large again', async () => {
    for (let side = 1; side <= 96; side += 5) {
      const given = [picture(side, 96 - (side % 7), side), picture(Math.max(1, side - 3), side, side)];
      const found = await resizedByGraph(given);
      given.forEach((one, i) => expect(Buffer.compare(found[i] ?? Buffer.alloc(0), plain(one))).toBe(0));
    }
  });
});
