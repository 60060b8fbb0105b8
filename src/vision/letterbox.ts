import type { Box } from './box.ts';
import { roundHalfEven } from './round.ts';
import { blackTaps, resizeTaps, type TapGrid } from './taps.ts';

/** Where the resized picture lies inside the target: all in target pixels, `gain` = target pixels per source pixel. */
interface LetterboxGeometry {
  readonly gain: number;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

/** Fits a picture into the target, centred, enlarging small ones (Ultralytics' LetterBox, auto off, scaleup on). */
export function letterboxGeometry(
  width: number,
  height: number,
  targetWidth: number,
  targetHeight: number,
): LetterboxGeometry {
  const gain = Math.min(targetHeight / height, targetWidth / width);
  const resizedWidth = roundHalfEven(width * gain);
  const resizedHeight = roundHalfEven(height * gain);
  return {
    gain,
    width: resizedWidth,
    height: resizedHeight,
    left: roundHalfEven((targetWidth - resizedWidth) / 2 - 0.1),
    top: roundHalfEven((targetHeight - resizedHeight) / 2 - 0.1),
  };
}

/** The taps of a resize into that place, over the whole target; on the padding they weigh nothing, which is black. */
export function letterboxTaps(width: number, height: number, targetWidth: number, targetHeight: number): TapGrid {
  const inner = letterboxGeometry(width, height, targetWidth, targetHeight);
  // An extreme strip can shrink to nothing on its short side; there is then no pixel to place.
  if (inner.width === 0 || inner.height === 0) {
    return { columns: blackTaps(targetWidth), rows: blackTaps(targetHeight) };
  }
  return {
    columns: resizeTaps(width, inner.width, inner.left, targetWidth),
    rows: resizeTaps(height, inner.height, inner.top, targetHeight),
  };
}

/** How letterboxed places become source places: (place - pad) / gain. The gain is that of the two sizes alone. */
export function sourceMapping(
  sourceWidth: number,
  sourceHeight: number,
  targetWidth: number,
  targetHeight: number,
): { readonly gain: number; readonly padX: number; readonly padY: number } {
  const gain = Math.min(targetHeight / sourceHeight, targetWidth / sourceWidth);
  return {
    gain,
    padX: roundHalfEven((targetWidth - sourceWidth * gain) / 2 - 0.1),
    padY: roundHalfEven((targetHeight - sourceHeight * gain) / 2 - 0.1),
  };
}

/** Maps a box from letterboxed pixels back to source pixels and clips it to the source (Ultralytics' scale_boxes). */
export function fromLetterbox(
  box: Box,
  sourceWidth: number,
  sourceHeight: number,
  targetWidth: number,
  targetHeight: number,
): Box {
  const { gain, padX, padY } = sourceMapping(sourceWidth, sourceHeight, targetWidth, targetHeight);
  const x = (value: number): number => Math.min(Math.max((value - padX) / gain, 0), sourceWidth);
  const y = (value: number): number => Math.min(Math.max((value - padY) / gain, 0), sourceHeight);
  return { x1: x(box.x1), y1: y(box.y1), x2: x(box.x2), y2: y(box.y2) };
}
