import { GraphBuilder } from '../../src/graphs/onnx/graph-builder.ts';
import { Operators } from './operators.ts';
import { DARK_RANGE } from './scene/visual-code.ts';
import { classDistance, erodedMask, HAIR, IMAGENET_LEVELS, shares } from './colour-classes.ts';

export const BINS = 72;
const [HEIGHT, WIDTH] = [256, 192];
const CELL = 4;
/** Concentration of a cell's vote around its angle: about 10 degrees wide. */
const KAPPA = 30;
/**
 * Where a person's own head is in the crop (x, y as shares of it from the middle) and how much it counts there: upright, lying to
 * either side, between. Hair beside an upright person is a neighbour's more often than that of somebody who lies.
 */
const HEAD_PLACES = [
  [0, -0.32, 1],
  [0.34, 0, 0.06],
  [-0.34, 0, 0.06],
  [0.28, -0.2, 0.06],
  [-0.28, -0.2, 0.06],
] as const;
const HEAD_SPREAD = [0.08, 0.05] as const;
/** Weight of hair anywhere else. */
const ELSEWHERE = 0.003;

/**
 * `input` [N,3,256,192] (ImageNet-normalised) -> `output` [N,72], softmax over bins of 5 degrees. Every cell of hair votes
 * for the angle that it carries; votes from where the person's own head is expected count more, so a neighbour is
 * outvoted and not averaged in. Without hair all bins are equal.
 */
export function buildOrientation(): GraphBuilder {
  const graph = new GraphBuilder('demo_orientation');
  const ops = new Operators(graph);
  const input = graph.input('input', 'float32', ['batch', 3, HEIGHT, WIDTH]);
  const small = ops.averagePool(input, 2);
  const mask = erodedMask(ops, classDistance(ops, small, [HAIR], IMAGENET_LEVELS), 3);
  const codes = shares(
    ops,
    small,
    [
      { channel: 0, range: DARK_RANGE },
      { channel: 1, range: DARK_RANGE },
    ],
    IMAGENET_LEVELS,
  );
  const sums = ops.averagePool(ops.concat([mask, ops.mul(codes, mask)], 1), CELL / 2);
  const mass = ops.channels(sums, 0, 1);
  const direction = ops.div(ops.channels(sums, 1, 3), ops.atLeast(mass, 1e-4));
  const angles = Array.from({ length: BINS }, (_, bin) => (bin * 2 * Math.PI) / BINS);
  // Codes are (1 + cos) / 2 and (1 + sin) / 2; the vote is exp(kappa * (cos(angle - bin) - 1)).
  const rows = angles.map((angle) => [2 * KAPPA * Math.cos(angle), 2 * KAPPA * Math.sin(angle)]);
  const bias = angles.map((angle) => -KAPPA * (Math.cos(angle) + Math.sin(angle) + 1));
  const votes = graph.node('Exp', [ops.clip(ops.pointwise(direction, rows, bias), -60, 5)]);
  const places = graph.floats(headPrior(), [1, 1, HEIGHT / CELL, WIDTH / CELL]);
  const weighted = ops.mul(ops.mul(mass, places), votes);
  const evidence = ops.sum(weighted, [2, 3]);
  const output = graph.node('Softmax', [graph.node('Log', [ops.add(evidence, 1e-5)])], { axis: 1 });
  graph.output(output, 'output', 'float32', ['batch', BINS]);
  return graph;
}

/** The weight of every cell's vote, row by row. */
function headPrior(): readonly number[] {
  const [rows, columns] = [HEIGHT / CELL, WIDTH / CELL];
  return Array.from({ length: rows * columns }, (_, index) => {
    const x = ((index % columns) + 0.5) / columns - 0.5;
    const y = (Math.floor(index / columns) + 0.5) / rows - 0.5;
    const bells = HEAD_PLACES.map(
      (place) =>
        place[2] * Math.exp(-0.5 * (((x - place[0]) / HEAD_SPREAD[0]) ** 2 + ((y - place[1]) / HEAD_SPREAD[1]) ** 2)),
    );
    return ELSEWHERE + Math.max(...bells);
  });
}
