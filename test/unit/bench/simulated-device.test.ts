import { expect, test } from '@jest/globals';
import { Tensor } from 'onnxruntime-node';
import { canvasFeeds } from '../../../src/chain/fastvlm/picture-canvas.ts';
import { createPixelKernel } from '../../../src/vision/kernel/pixel-kernel.ts';
import { wholeArea } from '../../../src/vision/picture-area.ts';
import { clockMemory, deviceClock } from '../../bench/host/device-clock.ts';
import { deviceMs, interpolated } from '../../bench/host/device-times.ts';
import { joinRows, Recording, splitRows } from '../../bench/host/recording.ts';
import { describeRun, rowNames } from '../../bench/host/run-rows.ts';

test('runs of all threads queue for one device, and count from its start on', () => {
  const memory = clockMemory();
  const [first, second] = [deviceClock(memory), deviceClock(memory)];
  const since = performance.now();
  first.run(5_000);
  expect(performance.now() - since).toBeLessThan(1_000);
  first.start();
  first.run(10);
  second.run(15);
  expect(performance.now() - since).toBeGreaterThanOrEqual(25);
  expect(second.used()).toEqual({ busyMs: 25, runs: 2 });
});

test('between known sizes a run lies on the line, beyond them it grows with its rows', () => {
  const times = [
    [1, 10],
    [8, 24],
  ] as const;
  expect([1, 2, 8, 16].map((rows) => interpolated(times, rows))).toEqual([10, 12, 24, 48]);
});

test('an A10G takes what its arithmetic takes and never less than the measured card', () => {
  expect(deviceMs('a10g', 'detection', 8)).toBeCloseTo((257.4 * 8) / 35);
  expect(deviceMs('a10g', 'orientation', 1)).toBe(deviceMs('h100', 'orientation', 1));
});

const floats = (values: readonly number[], dims: readonly number[]) =>
  new Tensor('float32', Float32Array.from(values), dims);

test('each row of a batch is answered with what was recorded for it alone', () => {
  const recording = new Recording();
  const feeds = (rows: readonly (readonly number[])[]) => ({ frames: floats(rows.flat(), [rows.length, 2, 2]) });
  const [one, two] = [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ] as const;
  for (const row of [one, two]) {
    const [name = ''] = rowNames('detection', 1, feeds([row]));
    const [answer = []] = splitRows({ raw: floats([row[0] * 100], [1, 1]) }, 1);
    recording.keep('detector', name, answer);
  }
  const names = rowNames('detection', 2, feeds([two, one]));
  const { raw } = joinRows(names.map((name) => recording.find('detector', name)));
  expect([raw?.dims, raw?.data]).toEqual([[2, 1], Float32Array.of(500, 100)]);
  expect(recording.counts).toEqual({ asked: 2, found: 2 });
});

test('boxes of a batch say in which of its rows they were found', () => {
  const boxes = (found: number) => ({
    boxes: floats(
      Array.from({ length: found * 4 }, (_, i) => i),
      [found, 4],
    ),
    places: new Tensor('int64', new BigInt64Array(found * 3), [found, 3]),
    finite: floats([0], [1]),
  });
  const rows = [2, 0, 1].map((found) => splitRows(boxes(found), 1)[0] ?? []);
  const { places, finite } = joinRows(rows);
  expect(places?.dims).toEqual([3, 3]);
  expect([0, 3, 6].map((at) => Number(places?.data[at]))).toEqual([0, 0, 2]);
  expect(finite?.dims).toEqual([3]);
});

test('a crop has one name wherever its pixels lie in the batch', () => {
  const crop = (origins: readonly number[]) => ({
    pixels: new Tensor('uint8', Uint8Array.from([0, 0, 0, 9, 9, 9, 7, 7, 7, 9, 9, 9]), [4, 3]),
    places: new Tensor('int32', Int32Array.from(origins.flatMap((origin) => [origin, 1])), [origins.length, 2]),
    columns: new Tensor('int32', new Int32Array(origins.length * 4), [origins.length, 4, 1]),
    rows: new Tensor('int32', new Int32Array(origins.length * 4), [origins.length, 4, 1]),
  });
  const [nine, seven, nineAgain] = rowNames('orientation', 3, crop([1, 2, 3]));
  expect(nineAgain).toBe(nine);
  expect(seven).not.toBe(nine);
  expect(describeRun('prepared_age_gender.onnx', crop([1, 2]))).toEqual({ kind: 'ageGender', rows: 1 });
});

test('the action in one graph has a row for every picture, with one name wherever it stands on the canvas', () => {
  const feeds = canvasFeeds(createPixelKernel(), 32);
  const picture = (width: number, height: number) =>
    wholeArea({ width, height, pixels: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i) % 251) });
  const [name] = rowNames('action', 1, feeds([picture(20, 40)], 1));
  const batch = feeds([picture(13, 45), picture(20, 40)], 4);
  expect(describeRun('prepared_action.onnx', batch)).toEqual({ kind: 'action', rows: 4 });
  const names = rowNames('action', 4, batch);
  expect(names[1]).toBe(name);
  expect(names[0]).not.toBe(name);
  expect(deviceMs('h100', 'action', 8)).toBe(84.3);
});
