import type { Value } from '../../src/graphs/onnx/graph-builder.ts';
import type { Operators } from './operators.ts';
import { BRIGHT, BRIGHT_RANGE, DARK, DARK_RANGE, type Range } from './scene/visual-code.ts';

/** A colour class of the visual code: the channel that is fixed, and where. */
export interface ColourClass {
  readonly channel: 0 | 1 | 2;
  readonly kind: 'bright' | 'dark';
}

export const SKIN: ColourClass = { channel: 0, kind: 'bright' };
export const SHIRT_SIZE: ColourClass = { channel: 1, kind: 'bright' };
export const SHIRT_PLACE: ColourClass = { channel: 2, kind: 'bright' };
export const CLOTHES: ColourClass = { channel: 0, kind: 'dark' };
export const VISOR: ColourClass = { channel: 1, kind: 'dark' };
export const HAIR: ColourClass = { channel: 2, kind: 'dark' };

/** How the graph's input channels relate to 0..255: level = scale * x + offset, per channel. */
export interface Levels {
  readonly scale: readonly [number, number, number];
  readonly offset: readonly [number, number, number];
}

export const UNIT_LEVELS: Levels = { scale: [255, 255, 255], offset: [0, 0, 0] };

export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
export const IMAGENET_STD = [0.229, 0.224, 0.225] as const;

export const IMAGENET_LEVELS: Levels = {
  scale: [255 * IMAGENET_STD[0], 255 * IMAGENET_STD[1], 255 * IMAGENET_STD[2]],
  offset: [255 * IMAGENET_MEAN[0], 255 * IMAGENET_MEAN[1], 255 * IMAGENET_MEAN[2]],
};

// Levels over which "inside" fades to "outside", and the slack that noise gets on both sides of a class.
const FADE = 8;
const SLACK = 13;

interface Ramp {
  readonly channel: number;
  /** The deficit is relu(weight * (level - bound)), in units of FADE. */
  readonly weight: 1 | -1;
  readonly bound: number;
}

function rampsOf({ channel, kind }: ColourClass): readonly Ramp[] {
  const others = [0, 1, 2].filter((other) => other !== channel);
  if (kind === 'bright') {
    return [
      { channel, weight: -1, bound: BRIGHT - SLACK },
      ...others.map((other): Ramp => ({ channel: other, weight: 1, bound: BRIGHT_RANGE.high + SLACK - 3 })),
    ];
  }
  return [
    { channel, weight: 1, bound: DARK + SLACK },
    ...others.flatMap((other): Ramp[] => [
      { channel: other, weight: -1, bound: DARK_RANGE.low - SLACK },
      { channel: other, weight: 1, bound: DARK_RANGE.high + SLACK },
    ]),
  ];
}

/**
 * How far every pixel of `picture` [N,3,H,W] is from each colour class: [N,classes,H,W], 0 inside. Two convolutions: the
 * first measures how far each channel is out of bounds, the second adds that up per class.
 */
export function classDistance(ops: Operators, picture: Value, classes: readonly ColourClass[], levels: Levels): Value {
  const ramps = classes.map(rampsOf);
  const rows: number[][] = [];
  const bias: number[] = [];
  for (const ramp of ramps.flat()) {
    const row = [0, 0, 0];
    row[ramp.channel] = (ramp.weight * (levels.scale[ramp.channel] ?? 1)) / FADE;
    rows.push(row);
    bias.push((ramp.weight * ((levels.offset[ramp.channel] ?? 0) - ramp.bound)) / FADE);
  }
  const outOfBounds = ops.relu(ops.pointwise(picture, rows, bias));
  const sums = ramps.map((own) => ramps.flat().map((ramp) => (own.includes(ramp) ? 1 : 0)));
  return ops.pointwise(
    outOfBounds,
    sums,
    sums.map(() => 0),
  );
}

/**
 * 0..1 membership from a distance map, eroded: 1 only where the whole `size` x `size` neighbourhood is inside. Edges
 * between two colours can look like a third class for a pixel or two; erosion takes those away.
 */
export function erodedMask(ops: Operators, distance: Value, size: number): Value {
  return ops.relu(ops.sub(1, ops.dilate(distance, size)));
}

/** The numbers 0..1 that the given channels carry: [N,channels,H,W]. */
export function shares(
  ops: Operators,
  picture: Value,
  channels: readonly { readonly channel: number; readonly range: Range }[],
  levels: Levels,
): Value {
  const rows = channels.map(({ channel, range }) => {
    const row = [0, 0, 0];
    row[channel] = (levels.scale[channel] ?? 1) / (range.high - range.low);
    return row;
  });
  const bias = channels.map(
    ({ channel, range }) => ((levels.offset[channel] ?? 0) - range.low) / (range.high - range.low),
  );
  return ops.pointwise(picture, rows, bias);
}
