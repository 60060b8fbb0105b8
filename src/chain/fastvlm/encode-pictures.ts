import { paddedCount } from '../../inference/batch.ts';
import type { StageMeter } from '../../inference/stage-meter.ts';
import type { PixelKernel } from '../../vision/kernel/pixel-kernel.ts';
import type { PictureArea } from '../../vision/picture-area.ts';
import { encodeImages, imageFeatures } from './language-model.ts';
import type { LanguageModel } from './language-model.ts';
import { canvasFeeds } from './picture-canvas.ts';

/**
 * Features [rows, imageTokens, width] of areas of any sizes; rows beyond the pictures are padding, whose features mean nothing.
 */
type EncodePictures = (pictures: readonly PictureArea[], rows: number, meter: StageMeter) => Promise<Float32Array>;

/**
 * Pads each picture to a black square, resizes it with antialiasing, scales it to 0..1 and runs the encoder: inside the prepared
 * graph where the pack has one, here otherwise, with the same result. `limit`: most pictures at once.
 */
export function pictureEncoder(lm: LanguageModel, kernel: PixelKernel, limit: number): EncodePictures {
  const size = lm.language.imageSize;
  const { preparedEncoder } = lm;
  if (preparedEncoder !== null) {
    const feeds = canvasFeeds(kernel, size);
    return async (pictures, rows, meter) =>
      imageFeatures(lm, preparedEncoder, await preparedEncoder.run(rows, feeds(pictures, rows), meter));
  }
  const planes = kernel.planes({ width: size, height: size });
  planes.reserve(limit);
  return (pictures, rows, meter) => {
    planes.reserve(rows);
    pictures.forEach((picture, i) => planes.square(i, picture));
    return encodeImages(lm, planes.view(rows), rows, meter);
  };
}

/**
 * Features [pictures, imageTokens, width] of any number of pictures, in runs that are filled up to one of the sizes, so that no other is
 * planned; without sizes in one run.
 */
export async function encodeInSizes(
  encode: EncodePictures,
  pictures: readonly PictureArea[],
  sizes: readonly number[],
  meter: StageMeter,
): Promise<Float32Array> {
  const most = sizes.at(-1) ?? pictures.length;
  const parts: Float32Array[] = [];
  for (let from = 0; from < pictures.length; from += most) {
    const part = pictures.slice(from, from + most);
    const rows = paddedCount(part.length, sizes);
    const features = await encode(part, rows, meter);
    parts.push(features.subarray(0, (features.length / rows) * part.length));
  }
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : joined(parts);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
