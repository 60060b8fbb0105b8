import { GraphBuilder, type Value } from '../../src/graphs/onnx/graph-builder.ts';
import { Operators } from './operators.ts';
import { ACTION_LABELS, ACTION_LEVELS } from './scene/visual-code.ts';
import { classDistance, CLOTHES, erodedMask, HAIR, UNIT_LEVELS } from './colour-classes.ts';
import { FEATURE, WIDTH } from './features.ts';

export const IMAGE_SIZE = 256;
const GRID = 8;
export const IMAGE_TOKENS = GRID * GRID;
/** Levels at which a colour stops to count for an action; neighbours in the code are 60 apart. */
const ACTION_REACH = 45;
/** Share of a head-sized window that must be hair for a head. */
const HEAD_SHARE = 0.012;

/**
 * `pixel_values` [N,3,256,256] RGB 0..1 -> `image_features` [N,64,128], one token per patch of 32x32 pixels, row by row. A token
 * carries the share of its pixels in each action's colour and the number of heads in it.
 */
export function buildVisionEncoder(): GraphBuilder {
  const graph = new GraphBuilder('demo_vision_encoder');
  const ops = new Operators(graph);
  const picture = graph.input('pixel_values', 'float32', ['batch', 3, IMAGE_SIZE, IMAGE_SIZE]);
  const heads = headCounts(ops, picture);
  const middle = ops.add(ops.mul(heads, 0), nearMiddle(ops));
  const measures = ops.concat([actionShares(ops, picture), heads, middle], 1);
  const rows: number[][] = Array.from({ length: WIDTH }, () =>
    Array.from({ length: ACTION_LABELS.length + 2 }, () => 0),
  );
  const bias = Array.from({ length: WIDTH }, () => 0);
  for (const index of ACTION_LABELS.keys()) rows[FEATURE.evidence + index]![index] = 1;
  rows[FEATURE.heads]![ACTION_LABELS.length] = 1;
  rows[FEATURE.middle]![ACTION_LABELS.length + 1] = 1;
  bias[FEATURE.one] = 1;
  bias[FEATURE.image] = 1;
  const features = ops.reshape(ops.pointwise(measures, rows, bias), [0, WIDTH, IMAGE_TOKENS]);
  graph.output(graph.node('Transpose', [features], { perm: [0, 2, 1] }), 'image_features', 'float32', [
    'batch',
    IMAGE_TOKENS,
    WIDTH,
  ]);
  return graph;
}

/** The share of every patch that shows each action's colour: [N,labels,8,8]. */
function actionShares(ops: Operators, picture: Value): Value {
  const small = ops.averagePool(picture, 2);
  const mask = erodedMask(ops, classDistance(ops, small, [CLOTHES], UNIT_LEVELS), 3);
  const rows: number[][] = [];
  const bias: number[] = [];
  for (const label of ACTION_LABELS) {
    for (const channel of [1, 2]) {
      for (const sign of [1, -1]) {
        const row = [0, 0, 0];
        row[channel] = (sign * 255) / ACTION_REACH;
        rows.push(row);
        bias.push((-sign * ACTION_LEVELS[label][channel - 1]!) / ACTION_REACH);
      }
    }
  }
  const differences = ops.relu(ops.pointwise(small, rows, bias));
  const sums = ACTION_LABELS.map((_, index) => rows.map((__, row) => (Math.floor(row / 4) === index ? -1 : 0)));
  const close = ops.relu(
    ops.pointwise(
      differences,
      sums,
      sums.map(() => 1),
    ),
  );
  return ops.averagePool(ops.mul(close, mask), IMAGE_SIZE / 2 / GRID);
}

/** The number of heads in every patch: [N,1,8,8]. A head is a place with more hair around it than any place nearby. */
function headCounts(ops: Operators, picture: Value): Value {
  const { graph } = ops;
  const mask = erodedMask(ops, classDistance(ops, picture, [HAIR], UNIT_LEVELS), 3);
  const cells = IMAGE_SIZE / 4;
  const hair = ops.blur(ops.averagePool(mask, 4), 3);
  // A slope too small to matter gives every cell another value, so equal neighbours are not counted twice.
  const slope = Float32Array.from({ length: cells * cells }, (_, index) => (index + 1) * 2.5e-7);
  const sloped = ops.add(hair, graph.floats(slope, [1, 1, cells, cells]));
  const lead = ops.sub(sloped, ops.dilate(sloped, 5));
  const highest = ops.clip(ops.add(ops.mul(lead, 1e8), 1), 0, 1);
  const enough = ops.clip(ops.mul(ops.sub(hair, HEAD_SHARE), 1e3), 0, 1);
  const perPatch = cells / GRID;
  return ops.mul(ops.averagePool(ops.mul(highest, enough), perPatch), perPatch * perPatch);
}

/** Where a person who fills the picture wears the action's colour: x, y from the middle, spread of x and y, weight. */
const CLOTHES_PLACES = [
  [0, 0.05, 0.08, 0.14, 1],
  [-0.14, -0.2, 0.05, 0.1, 0.7],
  [0.14, -0.2, 0.05, 0.1, 0.7],
] as const;

/** The logarithm of how much a patch counts for an action: [1,1,8,8]. */
function nearMiddle(ops: Operators): Value {
  const values = Array.from({ length: IMAGE_TOKENS }, (_, index) => {
    const x = ((index % GRID) + 0.5) / GRID - 0.5;
    const y = (Math.floor(index / GRID) + 0.5) / GRID - 0.5;
    const bells = CLOTHES_PLACES.map(
      (place) => place[4] * Math.exp(-0.5 * (((x - place[0]) / place[2]) ** 2 + ((y - place[1]) / place[3]) ** 2)),
    );
    return Math.max(-12, Math.log(bells.reduce((sum, bell) => sum + bell, 0)));
  });
  return ops.graph.floats(values, [1, 1, GRID, GRID]);
}
