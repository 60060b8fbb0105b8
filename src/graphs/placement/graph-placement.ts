import { readOnnx } from '../onnx/onnx-model.ts';
import { CUDA_KERNEL_SOURCE } from './cuda-kernel-table.ts';
import { placeNodes } from './place-nodes.ts';
import type { NodePlacement, Place } from './place-nodes.ts';

/** Where the nodes of one graph would run with the CUDA provider. */
export interface GraphPlacement {
  /** What the graph is to its owner. */
  readonly field: string;
  /** The name that reports give its file. */
  readonly file: string;
  readonly counts: Readonly<Record<Place, number>>;
  /** Nodes that would not run on the GPU, or of which it cannot be told. */
  readonly offGpu: readonly NodePlacement[];
}

/** Reads the graph and looks every node up in the table of CUDA kernels. Throws PACK_BROKEN where it is no ONNX file. */
export async function placeGraph(path: string, name: Pick<GraphPlacement, 'field' | 'file'>): Promise<GraphPlacement> {
  const nodes = placeNodes(await readOnnx(path));
  const counts: Record<Place, number> = { cuda: 0, shape: 0, folded: 0, cpu: 0, unknown: 0 };
  for (const { place } of nodes) counts[place] += 1;
  const offGpu = nodes.filter(({ place }) => place === 'cpu' || place === 'unknown');
  return { ...name, counts, offGpu };
}

/** Placements as lines for a terminal: one per graph, one per node that is not on the GPU, and what was asked. */
export function placementLines(placements: readonly GraphPlacement[]): readonly string[] {
  const lines = placements.flatMap(({ field, file, counts, offGpu }) => {
    const { cuda, shape, folded } = counts;
    const rest = `${shape} computing shapes on the CPU, ${folded} folded`;
    return [
      `${offGpu.length === 0 ? 'ok  ' : 'FAIL'} ${field} on CUDA: ${file}: ${cuda} nodes, ${rest}${offGpu.length === 0 ? '' : `, ${offGpu.length} not on the GPU`}`,
      ...offGpu.map(
        ({ node, op, place, reason }) =>
          `FAIL   ${node} (${op}) ${place === 'cpu' ? 'would run on the CPU' : 'cannot be placed'}: ${reason}`,
      ),
    ];
  });
  return [...lines, `      by table, not by a run: ${CUDA_KERNEL_SOURCE}`];
}
