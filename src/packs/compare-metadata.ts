import type { InferenceSession } from '../inference/providers.ts';
import type { ModelSpec, TensorSpec } from './pack-manifest.ts';
import type { PackProblem } from './pack-problem.ts';

type Metadata = InferenceSession['inputMetadata'][number];

/**
 * Differences between the manifest's tensors and those of the opened graph. A size that the manifest fixes may be
 * dynamic in the graph; an axis that the manifest calls dynamic may not be fixed there, or batches would fail later.
 */
export function compareMetadata(
  spec: ModelSpec,
  session: Pick<InferenceSession, 'inputMetadata' | 'outputMetadata'>,
): readonly PackProblem[] {
  return [
    ...compareSide(spec.file.path, 'input', spec.inputs, session.inputMetadata),
    ...compareSide(spec.file.path, 'output', spec.outputs, session.outputMetadata),
  ];
}

function compareSide(
  file: string,
  side: 'input' | 'output',
  specs: readonly TensorSpec[],
  found: readonly Metadata[],
): readonly PackProblem[] {
  const problems: PackProblem[] = [];
  const names = found.map((t) => t.name).join(', ');
  for (const spec of specs) {
    const tensor = found.find((t) => t.name === spec.name);
    if (tensor === undefined) {
      problems.push({ file, field: `${side} ${spec.name}`, expected: 'to exist', found: `only ${names}` });
    } else {
      problems.push(...compareTensor(file, `${side} ${spec.name}`, spec, tensor));
    }
  }
  for (const { name } of found) {
    // An output that nobody reads costs nothing; an input that nobody feeds makes every run fail.
    if (side === 'input' && !specs.some((spec) => spec.name === name)) {
      problems.push({ file, field: `input ${name}`, expected: 'to be named in the manifest', found: 'missing there' });
    }
  }
  return problems;
}

function compareTensor(file: string, field: string, spec: TensorSpec, found: Metadata): readonly PackProblem[] {
  if (!found.isTensor) return [{ file, field, expected: 'a tensor', found: 'another kind of value' }];
  const problems: PackProblem[] = [];
  if (found.type !== spec.dtype) {
    problems.push({ file, field: `${field} type`, expected: spec.dtype, found: found.type });
  }
  const fits =
    found.shape.length === spec.shape.length &&
    spec.shape.every((size, axis) => typeof found.shape[axis] !== 'number' || found.shape[axis] === size);
  if (!fits) {
    problems.push({ file, field: `${field} shape`, expected: shapeText(spec.shape), found: shapeText(found.shape) });
  }
  return problems;
}

function shapeText(shape: readonly (number | string)[]): string {
  return `[${shape.join(', ')}]`;
}
