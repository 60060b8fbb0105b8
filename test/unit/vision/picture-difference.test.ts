import { describe, expect, test } from '@jest/globals';
import type { Picture } from '../../../src/vision/picture.ts';
import { pictureDifference } from '../../../src/vision/picture-difference.ts';
import { flat, numbers } from './pictures.ts';

/** A rectangle of one colour drawn over a copy. */
function drawn(
  picture: Picture,
  area: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  colour: readonly [number, number, number],
): Picture {
  const pixels = Uint8Array.from(picture.pixels);
  for (let y = area.y; y < area.y + area.height; y += 1) {
    for (let x = area.x; x < area.x + area.width; x += 1) pixels.set(colour, (y * picture.width + x) * 3);
  }
  return { ...picture, pixels };
}

/** Nearly normal noise of this deviation. */
function noisy(picture: Picture, deviation: number, seed: number): Picture {
  const random = numbers(seed);
  const spread = deviation * Math.sqrt(12 / 4);
  const noise = (): number => (random() + random() + random() + random() - 2) * spread;
  return { ...picture, pixels: picture.pixels.map((level) => Math.round(level + noise())) };
}

describe('two pictures differ', () => {
  test('by nothing where they are the same', () => {
    expect(pictureDifference(flat(640, 360, 90), flat(640, 360, 90))).toBe(0);
  });

  test('by their light, where that has changed', () => {
    expect(pictureDifference(flat(640, 360, 90), flat(640, 360, 100))).toBe(10);
  });

  test('little by the noise of a camera', () => {
    for (const [width, height] of [
      [640, 360],
      [1280, 720],
    ] as const) {
      const scene = flat(width, height, 120);
      expect(pictureDifference(noisy(scene, 5, 11), noisy(scene, 5, 23))).toBeLessThan(6);
    }
  });

  test.each([
    ['640x360', 640, 360, 8],
    ['768x432', 768, 432, 10],
    ['1920x1080', 1920, 1080, 24],
    ['3840x2160', 3840, 2160, 48],
  ])('much by somebody small, wherever they are, in %s', (_name, width, height, size) => {
    const scene = flat(width, height, 120);
    const random = numbers(5);
    for (let n = 0; n < 6; n += 1) {
      const x = Math.floor(random() * (width - size));
      const y = Math.floor(random() * (height - 2 * size));
      const person = drawn(scene, { x, y, width: size, height: 2 * size }, [90, 90, 90]);
      expect(pictureDifference(scene, person)).toBeGreaterThan(10);
    }
  });

  test.each([
    ['640x360', 640, 360, 8],
    ['645x363', 645, 363, 8],
    ['768x432', 768, 432, 10],
    ['1280x720', 1280, 720, 16],
    ['1920x1080', 1920, 1080, 24],
  ])(
    'by three quarters of the contrast of a small person, also between blocks and at the edges, in %s',
    (_name, width, height, size) => {
      const scene = flat(width, height, 120);
      const tall = Math.round(2.5 * size);
      const places = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((n) => {
        const shift = Math.round((n * size) / 8);
        return [
          { x: 5 * size + shift, y: 7 * size + ((3 * shift) % size) },
          { x: width - size - shift, y: height - tall - shift },
        ];
      });
      for (const place of places) {
        const person = drawn(scene, { ...place, width: size, height: tall }, [108, 108, 108]);
        expect(pictureDifference(scene, person)).toBeGreaterThanOrEqual(9);
      }
    },
  );

  test('by the colour alone, where the light is the same', () => {
    const person = drawn(flat(640, 360, 120), { x: 301, y: 99, width: 16, height: 32 }, [150, 120, 90]);
    expect(pictureDifference(flat(640, 360, 120), person)).toBeGreaterThan(10);
  });

  test('in the last corner, also where the picture is no whole number of blocks', () => {
    const scene = flat(645, 363, 120);
    const person = drawn(scene, { x: 635, y: 345, width: 10, height: 18 }, [20, 20, 20]);
    expect(pictureDifference(scene, person)).toBeGreaterThan(20);
  });

  test('wholly where their sizes differ, and at all where they are tiny', () => {
    expect(pictureDifference(flat(640, 360, 1), flat(640, 362, 1))).toBe(255);
    expect(pictureDifference(flat(3, 2, 10), flat(3, 2, 90))).toBe(80);
  });
});
