import type { Detection } from '../../src/chain/model-chain.ts';
import type { Box } from '../../src/vision/box.ts';
import type { Picture } from '../../src/vision/picture.ts';

type Random = () => number;

export const SCENE_SIZES = [
  [640, 360],
  [320, 240],
  [90, 400],
  [1280, 720],
] as const;

/** Noise with a black stripe and a few black dots, which count as removed. */
export function noise(random: Random, [width, height]: readonly [number, number]): Picture {
  const pixels = Uint8Array.from({ length: width * height * 3 }, () => Math.floor(random() * 256));
  pixels.fill(0, 0, Math.floor(height / 10) * width * 3);
  return { width, height, pixels };
}

/** A box of one of the kinds that a detector, or a mistake, may give. */
export function anyBox(random: Random, { width, height }: Picture): Box {
  const kind = random();
  const [x, y] = [random() * width, random() * height];
  const at = (w: number, h: number, dx = 0, dy = 0): Box => ({
    x1: x + dx,
    y1: y + dy,
    x2: x + dx + w,
    y2: y + dy + h,
  });
  if (kind < 0.4) return at(60 + random() * width * 0.4, 60 + random() * height * 0.6);
  if (kind < 0.6) return at(20 + random() * width * 0.7, 20 + random() * height * 0.8, -width * 0.4, -height * 0.4);
  if (kind < 0.7) return at(random() * 4, random() * 4);
  if (kind < 0.8) return { x1: -random() * 900, y1: -random() * 900, x2: width + random() * 900, y2: height + 1 };
  if (kind < 0.85) return at(0, 0);
  if (kind < 0.9) return at(random() * width, random() < 0.5 ? 1 : 0.2);
  if (kind < 0.95) return at(80, 160, 3 * width, 0);
  return at(-30 * random(), -40 * random());
}

/** Persons and faces of any kind of box; with many, most overlap. */
export function anyDetections(random: Random, picture: Picture, count: number): readonly Detection[] {
  return Array.from({ length: count }, () => ({
    class: random() < 0.65 ? 'person' : 'face',
    score: random(),
    box: anyBox(random, picture),
  }));
}
