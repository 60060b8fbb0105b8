import { Failure } from '../failure/failure.ts';
import { readOnnxByReference } from '../graphs/onnx/weights-in-file.ts';
import { actionGraph, type ActionPrompt } from '../graphs/prepare/action-graph.ts';
import type { Pack } from '../packs/load-pack.ts';
import type { ModelSpec } from '../packs/pack-manifest.ts';
import { readActionPrompt } from './action-prompt.ts';
import { dataFolder, type ComposedGraph, type NotComposed } from './compose-stage.ts';

/**
 * Composes the action's graph of the pack's vision encoder and decoder, whose weights stay in their own files. Models that do not fit
 * into one graph stay apart: the stage runs them step by step, as it does without this graph. Throws PACK_BROKEN for a
 * pack whose action cannot run at all.
 */
export async function composeAction(raw: Pack): Promise<ComposedGraph | NotComposed> {
  const prompt = await readActionPrompt(raw);
  try {
    return await compose(raw, prompt);
  } catch (error) {
    if (error instanceof Failure && error.code === 'PACK_BROKEN') {
      return { reason: `its models do not fit into one graph: ${error.message}` };
    }
    throw error;
  }
}

async function compose(raw: Pack, prompt: ActionPrompt): Promise<ComposedGraph> {
  const { language } = raw.manifest;
  const { visionEncoder, decoder } = language;
  const read = async ({ file }: ModelSpec) => ({
    model: await readOnnxByReference(raw.filePath(file)),
    dataFolder: dataFolder(file),
  });
  const graph = actionGraph({ encoder: await read(visionEncoder), decoder: await read(decoder) }, language, prompt);
  const files = [visionEncoder, decoder].flatMap(({ file, externalData = [] }) => [file, ...externalData]);
  return { graph, bytes: graph.toBytes(), externalData: files };
}
