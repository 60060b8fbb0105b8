import { describe, expect, test } from '@jest/globals';
import type { Canvas } from '../../../models/demo-pack/scene/raster.ts';
import { drawBackground, drawFurniture, FURNITURE } from '../../../models/demo-pack/scene/store.ts';
import {
  ACTION_LABELS,
  actionColour,
  BRIGHT,
  BRIGHT_RANGE,
  DARK,
  DARK_RANGE,
  hairColour,
  OUTLINE,
  placeColour,
  type Rgb,
  sizeColour,
  skinColour,
  visorColour,
} from '../../../models/demo-pack/scene/visual-code.ts';

/** The names of the classes whose ranges, widened by `slack` levels, hold the colour. */
function classesOf(colour: Rgb, slack: number): readonly string[] {
  const names: string[] = [];
  for (const channel of [0, 1, 2] as const) {
    const others = colour.filter((_, index) => index !== channel);
    const within = (low: number, high: number): boolean =>
      others.every((level) => level >= low - slack && level <= high + slack);
    if (Math.abs(colour[channel] - BRIGHT) <= slack && within(0, BRIGHT_RANGE.high)) names.push(`bright ${channel}`);
    if (Math.abs(colour[channel] - DARK) <= slack && within(DARK_RANGE.low, DARK_RANGE.high)) {
      names.push(`dark ${channel}`);
    }
  }
  return names;
}

describe('the classes', () => {
  test.each([
    ['skin', skinColour(0, 'male'), 'bright 0'],
    ['skin', skinColour(95, 'female'), 'bright 0'],
    ['place', placeColour(1, 1), 'bright 2'],
    ['place', placeColour(0, 0), 'bright 2'],
    ['size', sizeColour(0.36, 0.36), 'bright 1'],
    ['visor', visorColour(0, 0.1), 'dark 1'],
    ['hair', hairColour(0), 'dark 2'],
    ['hair', hairColour(225), 'dark 2'],
  ] as const)('%s %j belongs to one class alone', (_, colour, name) => {
    expect(classesOf(colour, 12)).toEqual([name]);
  });

  test('outlines belong to none', () => {
    expect(classesOf(OUTLINE, 12)).toEqual([]);
  });

  test('the colours of two actions differ by at least 60 levels in one channel', () => {
    for (const first of ACTION_LABELS) {
      for (const second of ACTION_LABELS) {
        if (first === second) continue;
        const [a, b] = [actionColour(first), actionColour(second)];
        expect(Math.max(...a.map((level, channel) => Math.abs(level - b[channel]!)))).toBeGreaterThanOrEqual(60);
      }
    }
  });
});

test('hair carries the angle as cosine and sine', () => {
  expect(hairColour(0)).toEqual([200, 135, 25]);
  expect(hairColour(90)).toEqual([135, 200, 25]);
  expect(hairColour(180)).toEqual([70, 135, 25]);
});

test('no pixel of the empty store has a colour of the code', () => {
  const canvas: Canvas = drawBackground();
  for (const furniture of FURNITURE) drawFurniture(canvas, furniture);
  const colours = new Set<number>();
  for (let offset = 0; offset < canvas.pixels.length; offset += 3) {
    colours.add((canvas.pixels[offset]! << 16) | (canvas.pixels[offset + 1]! << 8) | canvas.pixels[offset + 2]!);
  }
  expect(colours.size).toBeGreaterThan(10);
  for (const colour of colours) {
    expect(classesOf([colour >> 16, (colour >> 8) & 255, colour & 255], 20)).toEqual([]);
  }
});
