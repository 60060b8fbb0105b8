import { rethrowHostFault } from '../failure/host-fault.ts';
import { readOnnxByReference } from '../graphs/onnx/weights-in-file.ts';
import { actionGraph, type ActionPrompt } from '../graphs/prepare/action-graph.ts';
import type { Pack } from '../packs/load-pack.ts';
import type { ModelSpec } from '../packs/pack-manifest.ts';
import { wholeArea } from '../vision/picture-area.ts';
import { readActionPrompt } from './action-prompt.ts';
import { scoreStepwise } from './compare-actions.ts';
import { dataFolder, type ComposedGraph, type NotComposed } from './compose-stage.ts';

const BLACK = { width: 32, height: 32, pixels: new Uint8Array(32 * 32 * 3) };

/**
 * Composes the action's graph of the pack's vision encoder and decoder, whose weights stay in their own files. Models that do not fit
 * into one graph stay apart, whatever in them stands against it: the stage runs them step by step, as it does without this graph. Throws what
 * this host lacks to compose it, and what the stage throws for a pack whose action cannot run at all.
 */
export async function composeAction(raw: Pack): Promise<ComposedGraph | NotComposed> {
  try {
    return await compose(raw, await readActionPrompt(raw));
  } catch (error) {
    // What stands in the manifest holds for every host, and for ever.
    rethrowHostFault(error);
    await scoreStepwise(raw, [wholeArea(BLACK)]);
    return {
      reason: `its models do not fit into one graph: ${error instanceof Error ? error.message : String(error)}`,
    };
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
