import { expect, test } from '@jest/globals';
import { writePlanes } from '../../oracle/write-planes.ts';

const picture = { width: 2, height: 1, pixels: Uint8Array.of(255, 0, 51, 0, 255, 102) };

test('pixels become planes of 0..1', () => {
  const out = new Float32Array(6);
  writePlanes(picture, out, 0);
  expect(out).toEqual(Float32Array.of(1, 0, 0, 1, 0.2, 0.4));
});

test('writes behind the offset and nowhere else', () => {
  const out = new Float32Array(8).fill(-1);
  writePlanes(picture, out, 1);
  expect(out).toEqual(Float32Array.of(-1, 1, 0, 0, 1, 0.2, 0.4, -1));
});

test('each channel has its own mean and deviation', () => {
  const out = new Float32Array(6);
  writePlanes(picture, out, 0, { mean: [0.5, 0, 0.2], std: [0.5, 0.5, 0.1] });
  [1, -1, 0, 2, 0, 2].forEach((value, i) => expect(out[i]).toBeCloseTo(value, 6));
});

test('black normalised by the ImageNet constants', () => {
  const out = new Float32Array(3);
  const black = { width: 1, height: 1, pixels: new Uint8Array(3) };
  writePlanes(black, out, 0, { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
  expect(out).toEqual(Float32Array.of(-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225));
});
