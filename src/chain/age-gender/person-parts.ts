import { bodyArea, faceArea } from '../../vision/body-crop.ts';
import type { PixelKernel } from '../../vision/kernel/pixel-kernel.ts';
import type { PictureArea } from '../../vision/picture-area.ts';
import type { Picture } from '../../vision/picture.ts';
import type { Detection, FaceBodyPair } from '../model-chain.ts';

export interface AgeGenderItem {
  readonly frame: Picture;
  /** All of the frame: the others are blanked in a body's crop. */
  readonly detections: readonly Detection[];
  readonly pair: FaceBodyPair;
}

/** What there is to see of a person; null for a part that is absent or not usable. */
interface PersonParts {
  readonly face: Required<PictureArea> | null;
  readonly body: Required<PictureArea> | null;
}

/** Where the parts of a pair lie in their frame. */
export function partsOf(item: AgeGenderItem, kernel: Pick<PixelKernel, 'isLit'>): PersonParts {
  return { face: faceOf(item), body: bodyOf(item, kernel) };
}

/** Whether there is a part of the pair to read. */
export function isReadable(item: AgeGenderItem, kernel: Pick<PixelKernel, 'isLit'>): boolean {
  // The face first: only of a body pixels have to be looked at.
  return faceOf(item) !== null || bodyOf(item, kernel) !== null;
}

function faceOf({ frame, detections, pair }: AgeGenderItem): PersonParts['face'] {
  const face = pair.face === null ? undefined : detections[pair.face];
  return face === undefined ? null : faceArea(frame, face.box);
}

function bodyOf({ frame, detections, pair }: AgeGenderItem, kernel: Pick<PixelKernel, 'isLit'>): PersonParts['body'] {
  return pair.person === null ? null : bodyArea(frame, detections, pair.person, kernel);
}
