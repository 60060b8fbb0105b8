import { realpath } from 'node:fs/promises';
import { dirname, posix, relative } from 'node:path';
import type { NamedModel, Pack } from './load-pack.ts';
import { readOnnx, type OnnxGraph, type OnnxTensor } from '../graphs/onnx/onnx-model.ts';
import type { PackProblem } from './pack-problem.ts';

/**
 * Weights that the graph keeps in other files: each must be named in the manifest, or its bytes would be neither checked nor
 * part of the pack's fingerprint, must be long enough, and must lie where ONNX Runtime follows it.
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
  const problems: PackProblem[] = [];
  for (const [path, end] of ends) {
    const problem = await verifyData(pack, model, { path, end });
    if (problem !== null) problems.push({ file: spec.file.path, field: `external data ${path}`, ...problem });
  }
  return problems;
}

async function verifyData(
  pack: Pack,
  { field, spec }: NamedModel,
  { path, end }: { readonly path: string; readonly end: number },
): Promise<Pick<PackProblem, 'expected' | 'found'> | null> {
  const named = spec.externalData?.find((file) => posix.normalize(file.path) === path);
  if (named === undefined) {
    return { expected: `to be named in the manifest under ${field}.externalData`, found: 'missing there' };
  }
  if (named.bytes < end) return { expected: `at least ${end} bytes`, found: `${named.bytes} bytes` };

  const [graph, data] = [pack.filePath(spec.file), await realpath(pack.filePath(named))];
  // ONNX Runtime's own rule. Links inside the folder are fine, such as those of Kubernetes' volumes, and so is a folder that is one.
  const allowed = [await realpath(dirname(graph)), dirname(await realpath(graph))];
  if (allowed.some((folder) => !relative(folder, data).startsWith('../'))) return null;
  return {
    expected: `a file in ${dirname(graph)} or below (copy the pack whole, or link its folder)`,
    found: `a link out of it to ${data}`,
  };
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
