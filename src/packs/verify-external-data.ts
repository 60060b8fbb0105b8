import { posix } from 'node:path';
import type { NamedModel, Pack } from './load-pack.ts';
import { readOnnx, type OnnxGraph, type OnnxTensor } from '../graphs/onnx/onnx-model.ts';
import type { PackProblem } from './pack-problem.ts';

/**
 * Weights that the graph keeps in other files: each must be named in the manifest, or its bytes would be neither checked nor
 * part of the pack's fingerprint, and must be long enough.
 */
export async function verifyExternalData(pack: Pack, model: NamedModel): Promise<readonly PackProblem[]> {
  const { spec } = model;
  const { graph } = await readOnnx(pack.filePath(spec.file));
  const folder = posix.dirname(spec.file.path);
  const ends = new Map<string, number>();
  for (const tensor of tensorsOf(graph)) {
    if (tensor.dataLocation !== 1) continue;
    const entry = (key: string): string | undefined => tensor.externalData?.find((item) => item.key === key)?.value;
    const path = posix.join(folder, entry('location') ?? '');
    const end = Number(entry('offset') ?? 0) + Number(entry('length') ?? 0);
    ends.set(path, Math.max(ends.get(path) ?? 0, end));
  }
  return [...ends].flatMap(([path, end]): PackProblem[] => {
    const named = spec.externalData?.find((file) => posix.normalize(file.path) === path);
    const field = `external data ${path}`;
    if (named === undefined) {
      const expected = `to be named in the manifest under ${model.field}.externalData`;
      return [{ file: spec.file.path, field, expected, found: 'missing there' }];
    }
    if (named.bytes >= end) return [];
    return [{ file: spec.file.path, field, expected: `at least ${end} bytes`, found: `${named.bytes} bytes` }];
  });
}

function tensorsOf(graph: OnnxGraph): readonly OnnxTensor[] {
  const inner = (graph.node ?? []).flatMap(({ attribute }) =>
    (attribute ?? []).flatMap(({ t, g }) => [
      ...(t === undefined ? [] : [t]),
      ...(g === undefined ? [] : tensorsOf(g)),
    ]),
  );
  return [...(graph.initializer ?? []), ...inner];
}
