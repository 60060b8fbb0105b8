/** Names of the inputs that a prepared per-person graph has in place of the official model's picture. */
export const CROP_INPUT = {
  /** uint8 [pixels, 3]: windows of frames one after another, row by row; pixel 0 is black. */
  pixels: 'pixels',
  /** int32 [crops, 2]: index of the window's first pixel, and pixels from one of its rows to the next. */
  places: 'places',
  /** int32 [crops, 4, width]: low and high position in the window, low and high weight, for every column of the crop. */
  columns: 'columns',
  /** int32 [crops, 4, height]: the same for every row. */
  rows: 'rows',
  /** int32 [crops, rectangles, 4]: x1, y1, x2, y2 in the window; what is inside one counts as black. */
  blanks: 'blanks',
} as const;

/**
 * Rows of a prepared detector's `rows` and `columns` inputs: for every place of an axis two source positions, their weights, and
 * the fill.
 */
export const TAP_ROWS = ['low', 'high', 'lowWeight', 'highWeight', 'fill'] as const;

/**
 * Source positions that a target position of the prepared vision encoder may have: enough for a picture of one and a half times
 * the target's size.
 */
export const BICUBIC_TAPS = 6;

/** Names of the outputs of a prepared detector with anchors (`yolov8Graph`). */
export const ANCHORS_OUTPUT = {
  /** float32 [found, 4 + classes]: what the model gives for an anchor, cx, cy, w, h and a score per class. */
  candidates: 'candidates',
  /** int32 [found, 2]: frame in the batch and anchor of each, in rising order. */
  places: 'places',
} as const;

/** Names of a decoder's tensors for keys and values, layer by layer: those that it takes (`past_key_values`) or gives (`present`). */
export function cacheNames(layers: number, side: 'past_key_values' | 'present' = 'past_key_values'): readonly string[] {
  return Array.from({ length: layers }, (_, layer) => [`${side}.${layer}.key`, `${side}.${layer}.value`]).flat();
}
