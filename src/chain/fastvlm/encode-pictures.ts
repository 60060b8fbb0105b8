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
