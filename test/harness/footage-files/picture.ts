import { seededRandom } from '../../chaos/random.ts';

export type Colour = readonly [red: number, green: number, blue: number];

/** Colours of the four quarters of a picture. */
export interface Corners {
  readonly topLeft: Colour;
  readonly topRight: Colour;
  readonly bottomLeft: Colour;
  readonly bottomRight: Colour;
}

/** The usual picture: no two of its quarters are alike, so that each turn and each mirror shows. */
export const QUARTERS: Corners = {
  topLeft: [200, 40, 40],
  topRight: [40, 180, 40],
  bottomLeft: [40, 40, 200],
  bottomRight: [200, 200, 200],
};

/** A picture that is not to be taken for the usual one. */
export const OTHER_QUARTERS: Corners = {
  topLeft: [30, 30, 30],
  topRight: [200, 200, 30],
  bottomLeft: [200, 30, 200],
  bottomRight: [30, 200, 200],
};

/** What a player shows of a picture that it mirrors, left against right, and then turns clockwise. */
export function turnedCorners(turn: number, isMirrored: boolean, picture: Corners = QUARTERS): Corners {
  const { topLeft, topRight, bottomLeft, bottomRight } = picture;
  let now: Corners = isMirrored
    ? { topLeft: topRight, topRight: topLeft, bottomLeft: bottomRight, bottomRight: bottomLeft }
    : picture;
  for (let left = turn; left > 0; left -= 90) {
    now = { topLeft: now.bottomLeft, topRight: now.topLeft, bottomLeft: now.bottomRight, bottomRight: now.topRight };
  }
  return now;
}

/** The frame's number, modulo this, is the brightness of the middle of the picture. */
export const NUMBERS = 16;

/** Brightness of the middle of frame `number`. */
export function levelOf(number: number): number {
  return (number % NUMBERS) * NUMBERS;
}

export interface PictureSettings {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Number of the first frame; 0 when absent. */
  readonly from?: number;
  readonly picture?: Corners;
  /** Largest random change of a pixel, which makes each frame cost about as many bytes; 0 when absent. */
  readonly noise?: number;
}

/** Frames of a picture of four quarters with its own number in the middle, as interleaved RGB. */
export function rawPictures(settings: PictureSettings): Buffer {
  const { width, height, frames, from = 0, picture = QUARTERS, noise = 0 } = settings;
  const random = seededRandom(7);
  const still = Buffer.alloc(width * height * 3);
  const middle: number[] = [];
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 3) {
      const isLeft = x < width / 2;
      const half = y < height / 2 ? ['topLeft', 'topRight'] : ['bottomLeft', 'bottomRight'];
      still.set(picture[(isLeft ? half[0] : half[1]) as keyof Corners], at);
      const isMiddle = Math.abs(x + 0.5 - width / 2) < width / 6 && Math.abs(y + 0.5 - height / 2) < height / 6;
      if (isMiddle) middle.push(at);
    }
  }
  return Buffer.concat(
    Array.from({ length: frames }, (_, index) => {
      const frame = Buffer.from(still);
      if (noise > 0) addNoise(frame, noise, random);
      for (const at of middle) frame.fill(levelOf(from + index), at, at + 3);
      return frame;
    }),
  );
}

function addNoise(frame: Buffer, noise: number, random: () => number): void {
  for (let at = 0; at < frame.length; at += 1) frame[at] = (frame[at] ?? 0) + (random() - 0.5) * noise;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Mean colour of a part of a picture; the parts are shares of its width and height. */
export function meanColour(
  { width, height, pixels }: Picture,
  [left, top, right, bottom]: readonly [number, number, number, number] = [0, 0, 1, 1],
): Colour {
  const sums: [number, number, number] = [0, 0, 0];
  let count = 0;
  for (let y = Math.floor(top * height); y < Math.ceil(bottom * height); y += 1) {
    for (let x = Math.floor(left * width); x < Math.ceil(right * width); x += 1, count += 1) {
      const at = (y * width + x) * 3;
      for (const channel of [0, 1, 2] as const) sums[channel] += pixels[at + channel] ?? 0;
    }
  }
  return [sums[0] / count, sums[1] / count, sums[2] / count];
}

/** The colours of a picture's quarters, away from their edges. */
export function cornersOf(picture: Picture): Corners {
  return {
    topLeft: meanColour(picture, [0.08, 0.08, 0.28, 0.28]),
    topRight: meanColour(picture, [0.72, 0.08, 0.92, 0.28]),
    bottomLeft: meanColour(picture, [0.08, 0.72, 0.28, 0.92]),
    bottomRight: meanColour(picture, [0.72, 0.72, 0.92, 0.92]),
  };
}

/** Colour of a whole picture on average, with the number in its middle. */
export function expectedMean(number: number, picture: Corners = QUARTERS): Colour {
  const mean = (channel: 0 | 1 | 2): number => {
    const { topLeft, topRight, bottomLeft, bottomRight } = picture;
    const quarters = (topLeft[channel] + topRight[channel] + bottomLeft[channel] + bottomRight[channel]) / 4;
    return (quarters * 8 + levelOf(number)) / 9;
  };
  return [mean(0), mean(1), mean(2)];
}

/** The number in the middle of a picture, modulo `NUMBERS`. */
export function numberOf(picture: Picture): number {
  const [red, green, blue] = meanColour(picture, [0.43, 0.43, 0.57, 0.57]);
  return Math.round((red + green + blue) / 3 / NUMBERS) % NUMBERS;
}
