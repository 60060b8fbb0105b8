/**
 * Tells for every graph of the packs how many nodes ONNX Runtime gives to each execution provider, and which stay on the CPU of a session
 * that was opened for CUDA.
 *
 *     placement.ts cuda|cpu PACK...
 */

import { placementOf } from '../../gpu/node-placement.ts';
import { loadPack, packModels } from '../../../../src/packs/load-pack.ts';
import { deviceArgument, requireArguments } from './command-arguments.ts';
import { errorText, printLine } from './json-lines.ts';

/** Nodes that a line names. */
const MOST_NODES = 60;

const args = process.argv.slice(2);
requireArguments(args, 2, 'placement.ts cuda|cpu PACK...');
const [deviceText, ...dirs] = args;
const device = deviceArgument(deviceText);
for (const dir of dirs) {
  const pack = await loadPack(dir);
  for (const { field, spec } of packModels(pack.manifest)) {
    const about = { pack: pack.manifest.name, graph: field };
    try {
      const placement = await placementOf(pack.filePath(spec.file), { device });
      printLine({ ...about, ...placement, onCpu: placement.onCpu.slice(0, MOST_NODES) });
    } catch (error) {
      printLine({ ...about, error: errorText(error) });
    }
  }
}
