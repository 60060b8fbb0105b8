import { floatScratch } from '../../inference/float-scratch.ts';
import type { StageMeter } from '../../inference/stage-meter.ts';
import { padSquare } from '../../vision/pad-square.ts';
import { writePlanes } from '../../vision/planes.ts';
import { resizeBicubic } from '../../vision/resize-bicubic.ts';
import { cutArea, type PictureArea } from '../picture-area.ts';
import { encodeImages, imageFeatures } from './language-model.ts';
import type { LanguageModel } from './language-model.ts';
import { canvasFeeds } from './picture-canvas.ts';

/**
 * Features [rows, imageTokens, width] of areas of any sizes; rows beyond the pictures are padding, whose features mean nothing.
 */
type EncodePictures = (pictures: readonly PictureArea[], rows: number, meter: StageMeter) => Promise<Float32Array>;

/**
 * Pads each picture to a black square, resizes it with antialiasing, scales it to 0..1 and runs the encoder: inside the prepared
 * graph where the pack has one, here otherwise, with the same result.
 */
export function pictureEncoder(lm: LanguageModel): EncodePictures {
  const size = lm.language.imageSize;
  const { preparedEncoder } = lm;
  if (preparedEncoder !== null) {
    return async (pictures, rows, meter) => {
      const outputs = await preparedEncoder.run(rows, canvasFeeds(pictures.map(cutArea), rows, size), meter);
      return imageFeatures(lm, preparedEncoder, outputs);
    };
  }
  const scratch = floatScratch();
  return (pictures, rows, meter) => {
    const values = scratch(rows * 3 * size * size);
    pictures.forEach((picture, i) => {
      writePlanes(resizeBicubic(padSquare(cutArea(picture)), size, size), values, i * 3 * size * size);
    });
    return encodeImages(lm, values, rows, meter);
  };
}
