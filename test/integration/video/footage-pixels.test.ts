import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { withDecodedFrames } from '../../../src/video/decode/decode.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { atDepth } from '../../harness/depth.ts';
import { FootageGround } from '../../harness/footage-files/footage-ground.ts';
import { changing } from '../../harness/footage-files/geometry-files.ts';
import { matrixOf, withMatrix } from '../../harness/footage-files/mp4-boxes.ts';
import type { Colour, Corners } from '../../harness/footage-files/picture.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';

const PLAIN: Colour = [126, 124, 124];
const FLAT: Corners = { topLeft: PLAIN, topRight: PLAIN, bottomLeft: PLAIN, bottomRight: PLAIN };
/** Of a colour that was stored as H.264 and scaled. */
const TOLERANCE = 8;
/** The number in the middle, and what scaling spreads of it. */
const MIDDLE = 0.25;

const never = new AbortController().signal;
let ground: FootageGround;
let tools: FfmpegTools;

beforeAll(async () => {
  ground = await FootageGround.open();
  await Promise.all(CHANGES.map(recordingOf));
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
});
afterAll(() => ground[Symbol.asyncDispose]());

/** Made once, all of them at once. */
const recordingOf = ([first, second]: (typeof CHANGES)[number]): Promise<Buffer> =>
  changing(ground, [first, second], 'mp4', FLAT);

/** Pixels around the middle of a picture that have another colour. */
function strangePixels(pixels: Uint8Array, width: number, height: number): number {
  let strange = 0;
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 3) {
      if (Math.abs((x + 0.5) / width - 0.5) < MIDDLE && Math.abs((y + 0.5) / height - 0.5) < MIDDLE) continue;
      if (PLAIN.some((value, channel) => Math.abs((pixels[at + channel] ?? 0) - value) > TOLERANCE)) strange += 1;
    }
  }
  return strange;
}

const TURNS = [0, 90, 180, 270] as const;
/** Of the turns, with each change; every change has other ones, so that each turn is there. */
const turnsOf = (change: number): readonly (typeof TURNS)[number][] =>
  TURNS.filter((_, turn) => (change + turn) % 2 < atDepth(1, 2));
const CHANGES = [
  ['plain', 'large'],
  ['large', 'plain'],
  ['plain', 'tall'],
  ['tall', 'large'],
] as const;

test.each(CHANGES.flatMap((change, i) => turnsOf(i).map((turn) => [change, turn] as const)))(
  'from one of %j pictures to the other, turned by %i degrees: each pixel is the recording',
  async (change, turn) => {
    const file = withMatrix(await recordingOf(change), matrixOf(turn, false));
    const path = await ground.write('changing.mp4', file);
    const info = await probeVideo(tools, path, SMALL_VIDEO_LIMITS, never);
    const strange = await withDecodedFrames([tools, path, info, SMALL_VIDEO_DECODING, never], async ({ frames }) => {
      const counts: number[] = [];
      for await (const { pixels, width, height } of frames) counts.push(strangePixels(pixels, width, height));
      return counts;
    });
    expect(strange).toEqual(Array.from({ length: 9 }, () => 0));
  },
);
