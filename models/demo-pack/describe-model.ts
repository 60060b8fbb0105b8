import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readOpset } from '../../src/graphs/onnx/onnx-opset.ts';
import type { ModelSpec, PackFile, TensorSpec } from '../../src/packs/pack-manifest.ts';
import { openSession } from '../../src/inference/providers.ts';

/** Size and sha256 of a file below the root. */
export async function describeFile(root: string, path: string): Promise<PackFile> {
  const bytes = await readFile(join(root, path));
  return { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}

/** What a manifest says of a graph, read from the graph itself. */
export async function describeModel(root: string, path: string): Promise<ModelSpec> {
  const session = await openSession(join(root, path), { device: 'cpu', threads: 1 });
  const tensors = (metadata: typeof session.inputMetadata): TensorSpec[] =>
    metadata.map((tensor) => {
      if (!tensor.isTensor) throw new Error(`${path}: ${tensor.name} is not a tensor`);
      return { name: tensor.name, dtype: tensor.type as TensorSpec['dtype'], shape: [...tensor.shape] };
    });
  const spec: ModelSpec = {
    file: await describeFile(root, path),
    opset: (await readOpset(join(root, path))) ?? 0,
    inputs: tensors(session.inputMetadata),
    outputs: tensors(session.outputMetadata),
  };
  await session.release();
  return spec;
}
