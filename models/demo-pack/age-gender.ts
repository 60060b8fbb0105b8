import { GraphBuilder } from '../../src/graphs/onnx/graph-builder.ts';
import { Operators } from './operators.ts';
import { AGE_RANGE, BRIGHT_RANGE, GENDER_LEVEL } from './scene/visual-code.ts';
import { classDistance, erodedMask, IMAGENET_LEVELS, shares, SKIN } from './colour-classes.ts';

/** The constants of age = x * (max - min) + avg; the published face and body checkpoint has the same. */
export const AGE_CONSTANTS = { minAge: 1, maxAge: 95, avgAge: 48 } as const;

const SIZE = 224;
// A face crop is enlarged several times, so its blurred edges are several pixels wide; a body crop is made smaller.
const FACE_EROSION = 9;
const BODY_EROSION = 3;
/** Years by which limbs read too young: 4:2:0 chroma draws their green towards the dark outlines by one or two levels. */
const EDGE_YEARS = 1.05;
/** Logits at the two gender levels. */
const CERTAINTY = 6;

/**
 * `input` [N,6,224,224] (face RGB, body RGB, ImageNet-normalised) -> `output` [N,3]: male and female logit, age x. Both
 * parts are read for skin; the mean over all skin found counts, so a missing part (black) changes nothing, and without any
 * skin the answer is the average age and no gender.
 */
export function buildAgeGender(): GraphBuilder {
  const graph = new GraphBuilder('demo_age_gender');
  const ops = new Operators(graph);
  const input = graph.input('input', 'float32', ['batch', 6, SIZE, SIZE]);
  const small = ops.averagePool(input, 2);
  const parts = [
    { picture: ops.channels(small, 0, 3), erosion: FACE_EROSION },
    { picture: ops.channels(small, 3, 6), erosion: BODY_EROSION },
  ];
  const totals = parts.map(({ picture, erosion }) => {
    const mask = erodedMask(ops, classDistance(ops, picture, [SKIN], IMAGENET_LEVELS), erosion);
    const codes = shares(
      ops,
      picture,
      [
        { channel: 1, range: BRIGHT_RANGE },
        { channel: 2, range: { low: GENDER_LEVEL.male, high: GENDER_LEVEL.female } },
      ],
      IMAGENET_LEVELS,
    );
    return ops.sum(ops.concat([mask, ops.mul(codes, mask)], 1), [2, 3]);
  });
  const total = graph.node('Add', totals);
  const mass = ops.channels(total, 0, 1);
  const found = ops.clip(ops.mul(mass, 1 / 4), 0, 1);
  const means = ops.div(ops.channels(total, 1, 3), ops.atLeast(mass, 1e-3));
  // means -> age x and the difference of the gender logits, as one matrix.
  const years = AGE_RANGE.high - AGE_RANGE.low;
  const spread = AGE_CONSTANTS.maxAge - AGE_CONSTANTS.minAge;
  const matrix = graph.floats([0, 0, years / spread, -2 * CERTAINTY, 2 * CERTAINTY, 0], [2, 3]);
  const bias = graph.floats([CERTAINTY, -CERTAINTY, (AGE_RANGE.low + EDGE_YEARS - AGE_CONSTANTS.avgAge) / spread], [3]);
  const output = ops.mul(graph.node('Add', [graph.node('MatMul', [means, matrix]), bias]), found);
  graph.output(output, 'output', 'float32', ['batch', 3]);
  return graph;
}
