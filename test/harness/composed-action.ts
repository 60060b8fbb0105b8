import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadPack, type Pack } from '../../src/packs/load-pack.ts';
import type { ComposedSpec } from '../../src/packs/pack-manifest.ts';
import { composeAction } from '../../src/preparation/compose-action.ts';

export interface ComposedAction {
  readonly pack: Pack;
  readonly spec: ComposedSpec;
}

const FILE = 'composed_action.onnx';

/** Composes the action's graph alone, beside the models of the pack; preparing a whole pack takes several times as long. */
export async function composedAction(dir: string): Promise<ComposedAction> {
  const pack = await loadPack(dir);
  const composed = await composeAction(pack);
  if ('reason' in composed) throw new Error(composed.reason);
  const { graph, bytes, externalData } = composed;
  await writeFile(join(dir, FILE), bytes);
  const tensors = (side: typeof graph.inputs) => side.map((tensor) => ({ ...tensor, shape: [...tensor.shape] }));
  const spec: ComposedSpec = {
    file: { path: FILE, sha256: '', bytes: bytes.length },
    externalData: [...externalData],
    opset: graph.opset,
    inputs: tensors(graph.inputs),
    outputs: tensors(graph.outputs),
    madeFrom: '',
  };
  return { pack, spec };
}
