import type { InlineOptions } from '../onnx/inline-model.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import type { Normalisation } from '../../vision/levels.ts';
import { addCrops, RESIZE_ROUNDING } from './crop-graph.ts';
import { embedHead, headTensors } from './head-model.ts';
import type { ModelSignature } from './model-signature.ts';

/**
 * Adapter `mivolo` with its crops inside one graph, at the model's own opset. In: the tensors of `CROP_INPUT`, a face and
 * then a body per row of the batch, each letterboxed on black (a missing part is a crop whose weights are all 0); other
 * people's boxes are blanked. Out: `readings` float32 [batch, 3]: male logit, female logit, age x.
 */
export function ageGenderGraph(
  model: OnnxModel,
  spec: Normalisation & { readonly model: ModelSignature },
  options: InlineOptions = {},
): GraphBuilder {
  const tensors = headTensors(model, spec.model, { channels: 6, values: 3 });
  const graph = new GraphBuilder('prepared_age_gender', { opset: tensors.opset });
  const picture = addCrops(graph, {
    width: tensors.width,
    height: tensors.height,
    parts: 2,
    rounding: RESIZE_ROUNDING,
    blanks: true,
    mean: spec.mean,
    std: spec.std,
    dtype: tensors.input.dtype,
  });
  graph.output(embedHead(graph, picture, { model, tensors, options }), 'readings', 'float32', ['batch', 3]);
  return graph;
}
