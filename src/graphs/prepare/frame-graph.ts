import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import { TAP_ROWS } from './prepared-inputs.ts';

type TapRow = (typeof TAP_ROWS)[number];

/** Weights are fractions of 2^11; the sums of a row lose 4 bits, the blend of two rows 16, the result the last 2. */
const [ROW_SHIFT, BLEND_SHIFT, LAST_SHIFT] = [1 << 4, 1 << 16, 1 << 2];
const CHANNELS = 3;
/** Half of what the last shift loses. */
const ROUNDING = 2;

/**
 * Declares the inputs of a prepared detector that carry its frames, `frames` uint8 [batch, height, width, 3] of one size, and
 * `rows` and `columns` int32 [5, target height or width] by `TAP_ROWS`, and fits the frames into the model's picture by
 * them: int32 [batch, target height, target width, 3], 0..255.
 */
export function addFrames(graph: GraphBuilder, target: { readonly height: number; readonly width: number }): Value {
  const frames = graph.input('frames', 'uint8', ['batch', 'height', 'width', 3]);
  const rows = graph.input('rows', 'int32', [TAP_ROWS.length, target.height]);
  const columns = graph.input('columns', 'int32', [TAP_ROWS.length, target.width]);
  const lines = fitted(graph, { frames, rows, columns, target });
  return graph.node('Reshape', [lines, graph.ints([0, target.height, target.width, CHANNELS])]);
}

interface Frames {
  readonly frames: Value;
  readonly rows: Value;
  readonly columns: Value;
  readonly target: { readonly height: number; readonly width: number };
}

/**
 * OpenCV's INTER_LINEAR resize of 8-bit pictures into a filled target, to the last bit: the same integers as
 * `resizeInto`. int32 [batch, target height, target width * 3], interleaved RGB, 0..255. All values stay below 2^27 and are never
 * negative, so that a division by a power of two is the shift.
 *
 * Where nothing is placed the weights are 0 and `fill` is the level; elsewhere `fill` is 0. Rows are taken before columns:
 * what is widened to 32 bits has the target's size, not the frame's. A line is one axis of pixels times channels, because weights
 * that repeat inside the innermost axis are slow on the CPU.
 */
function fitted(graph: GraphBuilder, inputs: Frames): Value {
  const { frames, rows, columns, target } = inputs;
  const line = target.width * CHANNELS;
  const int = (value: number): Value => graph.constant('int32', [value], []);
  const along = (taps: Value, name: TapRow): Value =>
    graph.node('Gather', [taps, graph.intScalar(TAP_ROWS.indexOf(name))], { axis: 0 });
  const perRow = (name: TapRow): Value => graph.node('Reshape', [along(rows, name), graph.ints([target.height, 1])]);
  const perValue = (name: TapRow): Value => {
    const pixels = graph.node('Reshape', [along(columns, name), graph.ints([target.width, 1])]);
    const repeated = graph.node('Expand', [pixels, graph.ints([target.width, CHANNELS])]);
    return graph.node('Reshape', [repeated, graph.ints([line])]);
  };

  const [left, right] = [along(columns, 'low'), along(columns, 'high')];
  const [leftWeight, rightWeight] = [perValue('lowWeight'), perValue('highWeight')];
  const blended = (row: 'low' | 'high', weight: 'lowWeight' | 'highWeight'): Value => {
    const lines = graph.node('Gather', [frames, along(rows, row)], { axis: 1 });
    const weighted = (at: Value, share: Value): Value => {
      const pixels = graph.node('Gather', [lines, at], { axis: 2 });
      const values = graph.node('Reshape', [pixels, graph.ints([0, target.height, line])]);
      return graph.node('Mul', [graph.cast(values, 'int32'), share]);
    };
    const sum = graph.node('Add', [weighted(left, leftWeight), weighted(right, rightWeight)]);
    const short = graph.node('Div', [sum, int(ROW_SHIFT)]);
    return graph.node('Div', [graph.node('Mul', [short, perRow(weight)]), int(BLEND_SHIFT)]);
  };
  const sum = graph.node('Add', [blended('low', 'lowWeight'), blended('high', 'highWeight')]);
  // One addition rounds inside and fills outside: there the sum is 0.
  const fill = graph.node('Max', [perRow('fill'), perValue('fill')]);
  const offset = graph.node('Add', [graph.node('Mul', [fill, int(LAST_SHIFT)]), int(ROUNDING)]);
  return graph.node('Div', [graph.node('Add', [sum, offset]), int(LAST_SHIFT)]);
}
