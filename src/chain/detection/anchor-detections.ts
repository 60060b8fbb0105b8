import type { RawDetection } from '../../vision/decode-detections.ts';
import { fromLetterbox } from '../../vision/letterbox.ts';
import type { Picture } from '../../vision/picture.ts';
import type { Detection } from '../model-chain.ts';

/** The picture that a detector with anchors looks at, and what it looks for. */
interface AnchorModel {
  readonly classes: readonly Detection['class'][];
  readonly width: number;
  readonly height: number;
}

/** What was decoded from the letterboxed picture, in pixels of the frame. */
export function anchorDetections(
  found: readonly RawDetection[],
  frame: Pick<Picture, 'width' | 'height'>,
  { classes, width, height }: AnchorModel,
): readonly Detection[] {
  return found.map(({ classIndex, box, score }) => ({
    class: classes[classIndex] ?? 'person',
    box: fromLetterbox(box, frame.width, frame.height, width, height),
    score,
  }));
}
