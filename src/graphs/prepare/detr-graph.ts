import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import type { Normalisation } from '../../vision/levels.ts';
import { addFrames } from './frame-graph.ts';
import type { ModelSignature } from './model-signature.ts';
import { normaliseGraph } from './normalise-graph.ts';
import { pictureInput, unprepared } from './picture-input.ts';

/** The outputs of such a detector, by the names under which it is exported. */
const OUTPUTS = ['logits', 'pred_boxes'] as const;

/**
 * A detector of the DETR kind with its picture made inside the graph, at the model's own opset. In: `frames`, `rows` and `columns`
 * (`addFrames`), letterboxed or stretched as the taps say. Out: the model's `logits` [batch, queries, columns] and `pred_boxes`
 * [batch, queries, 4], a few kilobytes a frame, as float32: what they mean is decided outside, where the manifest has its say.
 */
export function detrGraph(
  model: OnnxModel,
  spec: Normalisation & { readonly model: ModelSignature },
  options: InlineOptions = {},
): GraphBuilder {
  const outputs = OUTPUTS.map((name) => {
    const output = spec.model.outputs.find((tensor) => tensor.name === name);
    if (output !== undefined) return output;
    throw unprepared(spec.model, `an output ${name}`, spec.model.outputs.map((tensor) => tensor.name).join(', '));
  });
  const picture = pictureInput(model, spec.model, { channels: 3, outputs });
  const graph = new GraphBuilder('prepared_detection', { opset: picture.opset });
  const levels = addFrames(graph, picture);
  const { mean, std } = spec;
  const pixels = normaliseGraph(graph, levels, { mean, std, dtype: picture.input.dtype });
  const found = graph.embed(model, 'detector', { [picture.input.name]: pixels }, options);
  for (const { name, dtype, shape } of outputs) {
    const value = found[name];
    if (value === undefined) throw unprepared(spec.model, `an output ${name}`, Object.keys(found).join(', '));
    graph.output(dtype === 'float16' ? graph.cast(value, 'float32') : value, name, 'float32', shape);
  }
  return graph;
}
