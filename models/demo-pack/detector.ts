import { GraphBuilder, type Value } from '../../src/graphs/onnx/graph-builder.ts';
import { Operators } from './operators.ts';
import { BODY_SIZE_LIMIT, BRIGHT_RANGE, DARK_RANGE, FACE_ASPECT, FACE_SIZE_LIMIT } from './scene/visual-code.ts';
import { classDistance, erodedMask, SHIRT_PLACE, SHIRT_SIZE, shares, UNIT_LEVELS, VISOR } from './colour-classes.ts';

const SIZE = 640;
/** The colours are read at half size ... */
const MAP = SIZE / 2;
/** ... and summed up over windows of cells of this many map pixels. */
const CELL = 4;
const GRID = MAP / CELL;

/** Rows and columns of cells. */
type WindowShape = readonly [number, number];

// A window must reach over two stripes but not over two people: across the stripes long, along them short. Stripes are
// level on those who stand or sit and upright on those who lie.
const BODY_WINDOWS: readonly WindowShape[] = [
  [3, 1],
  [1, 3],
];
const FACE_WINDOW: WindowShape = [3, 3];
export const ANCHORS = (BODY_WINDOWS.length + 1) * GRID * GRID;

/**
 * `images` [N,3,640,640] RGB 0..1 -> `output0` [N,6,19200]: cx, cy, w, h in pixels of the input, p(person), p(face).
 *
 * Every window that sees enough of a shirt reads its wearer's box: the odd stripes tell the size, the even ones where in the
 * box the window is. A window that sees two shirts reads places that do not fit one box and is rejected: the spread of
 * (place - position / size) inside one shirt is nearly 0. Faces are read from visors in the same way. The first two
 * thirds of the anchors are bodies, the last are faces; overlapping anchors of one person are left to the reader's suppression.
 */
export function buildDetector(): GraphBuilder {
  const graph = new GraphBuilder('demo_detector');
  const ops = new Operators(graph);
  const images = graph.input('images', 'float32', ['batch', 3, SIZE, SIZE]);
  const picture = ops.averagePool(images, 2);
  const distance = classDistance(ops, picture, [SHIRT_PLACE, SHIRT_SIZE, VISOR], UNIT_LEVELS);
  const masks = erodedMask(ops, distance, 3);
  const codes = shares(
    ops,
    picture,
    [
      { channel: 0, range: BRIGHT_RANGE },
      { channel: 1, range: BRIGHT_RANGE },
      { channel: 0, range: BRIGHT_RANGE },
      { channel: 2, range: BRIGHT_RANGE },
      { channel: 0, range: DARK_RANGE },
      { channel: 2, range: DARK_RANGE },
    ],
    UNIT_LEVELS,
  );
  const bodies = bodyAnchors(ops, masks, codes);
  const faces = faceAnchors(ops, masks, codes);
  graph.output(ops.concat([...bodies, faces], 2), 'output0', 'float32', ['batch', 6, ANCHORS]);
  return graph;
}

/** Positions 0..1 of the map's columns or rows, ready for broadcasting. */
function positions(ops: Operators, axis: 'x' | 'y'): Value {
  const values = Array.from({ length: MAP }, (_, index) => (index + 0.5) / MAP);
  return ops.graph.floats(values, axis === 'x' ? [1, 1, 1, MAP] : [1, 1, MAP, 1]);
}

/** The mask and each map times the mask, summed up per cell: [N,1+maps,GRID,GRID]. */
function cellSums(ops: Operators, mask: Value, maps: readonly Value[]): Value {
  return ops.averagePool(ops.concat([mask, ...maps.map((map) => ops.mul(map, mask))], 1), CELL);
}

interface Moments {
  /** The mask's share of the window. */
  readonly mass: Value;
  /** The mean of one of the maps, by its index, weighted by the mask. */
  readonly mean: (index: number) => Value;
}

function momentsOf(ops: Operators, sums: Value, maps: number, [rows, columns]: WindowShape): Moments {
  const window = ops.blur(sums, rows, columns);
  const mass = ops.channels(window, 0, 1);
  const means = ops.div(ops.channels(window, 1, maps + 1), ops.atLeast(mass, 1e-4));
  return { mass, mean: (index) => ops.channels(means, index, index + 1) };
}

/** Mean of the products less the product of the means. */
function covariance(ops: Operators, product: Value, a: Value, b: Value): Value {
  return ops.sub(product, ops.mul(a, b));
}

/**
 * The variance of (place - position / extent) in a window: 0 when all of it belongs to one box. `maps.squares` is the index
 * of place squared, followed by place * position and position squared.
 */
function placeSpread(
  ops: Operators,
  moments: Moments,
  maps: { readonly code: number; readonly position: number; readonly squares: number },
  extent: Value,
): Value {
  const [code, position] = [moments.mean(maps.code), moments.mean(maps.position)];
  const own = covariance(ops, moments.mean(maps.squares), code, code);
  const both = ops.div(covariance(ops, moments.mean(maps.squares + 1), code, position), extent);
  const moved = ops.div(covariance(ops, moments.mean(maps.squares + 2), position, position), ops.square(extent));
  return ops.add(ops.sub(own, ops.mul(both, 2)), moved);
}

function bodyAnchors(ops: Operators, masks: Value, codes: Value): readonly Value[] {
  const sizeMaps = [2, 3].flatMap((channel) => {
    const code = ops.channels(codes, channel, channel + 1);
    return [code, ops.square(code)];
  });
  const axes = [
    { code: ops.channels(codes, 0, 1), position: positions(ops, 'x') },
    { code: ops.channels(codes, 1, 2), position: positions(ops, 'y') },
  ];
  const placeMaps = axes.flatMap(({ code, position }) => [
    code,
    position,
    ops.square(code),
    ops.mul(code, position),
    ops.square(position),
  ]);
  const sizeSums = cellSums(ops, ops.channels(masks, 1, 2), sizeMaps);
  const placeSums = cellSums(ops, ops.channels(masks, 0, 1), placeMaps);
  return BODY_WINDOWS.map((shape) =>
    bodiesInWindows(
      ops,
      momentsOf(ops, sizeSums, sizeMaps.length, shape),
      momentsOf(ops, placeSums, placeMaps.length, shape),
    ),
  );
}

function bodiesInWindows(ops: Operators, size: Moments, place: Moments): Value {
  const width = ops.atLeast(ops.mul(size.mean(0), BODY_SIZE_LIMIT), 0.01);
  const height = ops.atLeast(ops.mul(size.mean(2), BODY_SIZE_LIMIT), 0.01);
  const centres: Value[] = [];
  const spreads: Value[] = [
    // Two sizes in one window: their variance in the code's units.
    ops.mul(covariance(ops, size.mean(1), size.mean(0), size.mean(0)), 1 / 0.0006),
    ops.mul(covariance(ops, size.mean(3), size.mean(2), size.mean(2)), 1 / 0.0006),
  ];
  for (const [axis, extent] of [width, height].entries()) {
    const at = axis * 5;
    centres.push(ops.add(place.mean(at + 1), ops.mul(ops.sub(0.5, place.mean(at)), extent)));
    const spread = placeSpread(ops, place, { code: at, position: at + 1, squares: at + 2 }, extent);
    spreads.push(ops.mul(spread, 1 / 0.002));
  }
  const seen = ops.mul(enough(ops, place.mass, 0.13), enough(ops, size.mass, 0.13));
  const score = ops.mul(seen, consistency(ops, spreads));
  return anchors(ops, [...centres, width, height], [score, ops.mul(score, 0)]);
}

function faceAnchors(ops: Operators, masks: Value, codes: Value): Value {
  const [place, size] = [ops.channels(codes, 4, 5), ops.channels(codes, 5, 6)];
  const [x, y] = [positions(ops, 'x'), positions(ops, 'y')];
  const mask = ops.channels(masks, 2, 3);
  const maps = [place, size, ops.square(size), x, y, ops.square(place), ops.mul(place, x), ops.square(x)];
  const visor = momentsOf(ops, cellSums(ops, mask, maps), maps.length, FACE_WINDOW);
  const height = ops.atLeast(ops.mul(visor.mean(1), FACE_SIZE_LIMIT), 0.005);
  const width = ops.mul(height, FACE_ASPECT);
  const centreX = ops.add(visor.mean(3), ops.mul(ops.sub(0.5, visor.mean(0)), width));
  const sizes = covariance(ops, visor.mean(2), visor.mean(1), visor.mean(1));
  const places = placeSpread(ops, visor, { code: 0, position: 3, squares: 5 }, width);
  const consistent = consistency(ops, [ops.mul(sizes, 1 / 0.003), ops.mul(places, 1 / 0.012)]);
  // A visor carries no y: a window that cuts one off above or below would read a shifted box.
  const tall = ops.mul(ops.blur(ops.averagePool(mask, CELL), 5, 3), 5 / 3);
  const whole = ops.clip(ops.sub(ops.mul(ops.div(visor.mass, ops.atLeast(tall, 1e-4)), 4), 2), 0, 1);
  const score = ops.mul(ops.mul(enough(ops, visor.mass, 0.025), whole), consistent);
  return anchors(ops, [centreX, visor.mean(4), width, height], [ops.mul(score, 0), score]);
}

/** 0..1: grows with the share of the window that carries the code, full at `share`. */
function enough(ops: Operators, mass: Value, share: number): Value {
  return ops.clip(ops.mul(mass, 1 / share), 0, 1);
}

/** 1 while every spread is small (below 1/2 in its unit), 0 above 1. */
function consistency(ops: Operators, spreads: readonly Value[]): Value {
  const largest = ops.graph.node('Max', spreads);
  return ops.clip(ops.sub(2, ops.mul(largest, 2)), 0, 1);
}

/** Boxes in pixels and scores, flattened to [N,6,GRID*GRID]. */
function anchors(ops: Operators, box: readonly Value[], scores: readonly Value[]): Value {
  const pixels = ops.mul(ops.concat(box, 1), SIZE);
  const certainty = ops.mul(ops.concat(scores, 1), 0.98);
  return ops.reshape(ops.concat([pixels, certainty], 1), [0, 6, GRID * GRID]);
}
