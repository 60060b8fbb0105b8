import { levelTable, type Normalisation } from '../../vision/levels.ts';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';

/**
 * Levels int32 [rows, height, width, 3] to a model's numbers [rows, 3, height, width], looked up as the plain path computes
 * them: in double precision, then rounded to the model's.
 */
export function normaliseGraph(
  graph: GraphBuilder,
  levels: Value,
  { mean, std, dtype }: Normalisation & { readonly dtype: 'float32' | 'float16' },
): Value {
  const table = [0, 1, 2].flatMap((channel) => [...levelTable(mean[channel] ?? 0, std[channel] ?? 1)]);
  const planes = graph.node('Transpose', [levels], { perm: [0, 3, 1, 2] });
  const entries = graph.node('Add', [planes, graph.constant('int32', [0, 256, 512], [3, 1, 1])]);
  return graph.node('Gather', [graph.constant(dtype, table, [table.length]), entries], { axis: 0 });
}
