import type { Normalisation } from '../../vision/levels.ts';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import { normaliseGraph } from './normalise-graph.ts';
import { CROP_INPUT } from './prepared-inputs.ts';

/** In which steps products of levels and weights become a level again; all divisions round down. */
export interface Rounding {
  readonly afterColumns: number;
  readonly afterRows: number;
  readonly half: number;
  readonly total: number;
}

/** OpenCV's INTER_LINEAR resize: 11-bit weights, and both products cut before they are added (`resizeBilinear`). */
export const RESIZE_ROUNDING: Rounding = { afterColumns: 1 << 4, afterRows: 1 << 16, half: 2, total: 4 };
/** OpenCV's warpAffine: 5-bit weights, one rounding at the end (`orientationCrop`). */
export const AFFINE_ROUNDING: Rounding = { afterColumns: 1, afterRows: 1, half: 1 << 9, total: 1 << 10 };

export interface CropOptions extends Normalisation {
  readonly width: number;
  readonly height: number;
  /** Crops per row of the batch: their planes become channels of one picture. */
  readonly parts: number;
  readonly rounding: Rounding;
  readonly blanks: boolean;
  /** Element type of the model's input. */
  readonly dtype: 'float32' | 'float16';
}

/**
 * Declares the inputs and adds the operators that turn them into the model's picture [batch, 3 * parts, height, width]. All
 * arithmetic up to the 8-bit levels is in whole numbers, and levels become floats by a table, so the picture equals that
 * of the plain path in every bit. Which pixel a crop reads is told by its taps, so one batch may mix frames of any size.
 */
export function addCrops(graph: GraphBuilder, options: CropOptions): Value {
  const { width, height, parts } = options;
  const pixels = graph.input(CROP_INPUT.pixels, 'uint8', ['pixels', 3]);
  const columns = graph.input(CROP_INPUT.columns, 'int32', ['crops', 4, width]);
  const rows = graph.input(CROP_INPUT.rows, 'int32', ['crops', 4, height]);
  const y = reshape(graph, slice(graph, rows, 1, 0, 2), [-1, 2 * height, 1]);
  const rowWeights = reshape(graph, slice(graph, rows, 1, 2, 4), [-1, 2 * height, 1]);
  const indices = addIndices(graph, y, options.blanks);
  const column = (row: number): Value => slice(graph, columns, 1, row, row + 1);
  const weighted = (x: Value, weight: Value): Value => {
    // Widened after the corners are picked: their number is bounded, a large person has any number of pixels.
    const corners = graph.cast(graph.node('Gather', [pixels, indices(x)], { axis: 0 }), 'int32');
    // Pixels and channels as one axis: a provider runs along it without a break.
    return graph.node('Mul', [
      reshape(graph, corners, [-1, 2 * height, 3 * width]),
      everyChannel(graph, weight, width),
    ]);
  };
  const across = graph.node('Add', [weighted(column(0), column(2)), weighted(column(1), column(3))]);
  const { rounding } = options;
  const products = graph.node('Mul', [divide(graph, across, rounding.afterColumns), rowWeights]);
  const halves = graph.nodes('Split', [divide(graph, products, rounding.afterRows), graph.ints([height, height])], 2, {
    axis: 1,
  });
  const sum = graph.node('Add', [graph.node('Add', halves), int(graph, rounding.half)]);
  const levels = reshape(graph, divide(graph, sum, rounding.total), [-1, height, width, 3]);
  return reshape(graph, normaliseGraph(graph, levels, options), [-1, 3 * parts, height, width]);
}

/** [crops, 1, width] to [crops, 1, 3 * width]. */
function everyChannel(graph: GraphBuilder, weight: Value, width: number): Value {
  const single = reshape(graph, weight, [-1, 1, width, 1]);
  return reshape(graph, graph.node('Concat', [single, single, single], { axis: 3 }), [-1, 1, 3 * width]);
}

/**
 * From the rows `y` [crops, 2 * height, 1] of the window that the crop reads: a function from columns [crops, 1, n] to indices
 * into `pixels` [crops, 2 * height, n]; 0, which is black, in a blank.
 */
function addIndices(graph: GraphBuilder, y: Value, blanks: boolean): (x: Value) => Value {
  const places = reshape(graph, graph.input(CROP_INPUT.places, 'int32', ['crops', 2]), [-1, 2, 1]);
  const pitch = slice(graph, places, 1, 1, 2);
  const rowStart = graph.node('Add', [graph.node('Mul', [y, pitch]), slice(graph, places, 1, 0, 1)]);
  const outside = blanks ? addBlanks(graph, y) : null;
  return (x) => {
    const index = graph.node('Add', [rowStart, x]);
    return outside === null ? index : graph.node('Mul', [index, outside(x)]);
  };
}

/**
 * 1 outside all rectangles, else 0, for columns `x` as above. A product of 0/1 matrices counts for each place the
 * rectangles that hold it.
 */
function addBlanks(graph: GraphBuilder, y: Value): (x: Value) => Value {
  const byRow = graph.input(CROP_INPUT.blanks, 'int32', ['crops', 'rectangles', 4]);
  const byColumn = graph.node('Transpose', [byRow], { perm: [0, 2, 1] });
  const within = (position: Value, from: Value, to: Value): Value => {
    const begun = graph.node('GreaterOrEqual', [position, from]);
    return graph.cast(graph.node('And', [begun, graph.node('Less', [position, to])]), 'float32');
  };
  const inY = within(y, slice(graph, byColumn, 1, 1, 2), slice(graph, byColumn, 1, 3, 4));
  const [fromX, toX] = [slice(graph, byRow, 2, 0, 1), slice(graph, byRow, 2, 2, 3)];
  return (x) => {
    const rectangles = graph.node('MatMul', [inY, within(x, fromX, toX)]);
    return graph.cast(graph.node('Less', [rectangles, graph.scalar(0.5)]), 'int32');
  };
}

/** Of numbers that are not negative, so that the division rounds down. */
function divide(graph: GraphBuilder, value: Value, by: number): Value {
  return by === 1 ? value : graph.node('Div', [value, int(graph, by)]);
}

function int(graph: GraphBuilder, value: number): Value {
  return graph.constant('int32', [value], []);
}

function slice(graph: GraphBuilder, value: Value, axis: number, from: number, to: number): Value {
  return graph.node('Slice', [value, graph.ints([from]), graph.ints([to]), graph.ints([axis])]);
}

function reshape(graph: GraphBuilder, value: Value, shape: readonly number[]): Value {
  return graph.node('Reshape', [value, graph.ints(shape)]);
}
