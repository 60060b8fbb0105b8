import type { ExecutionTarget } from '../../inference/providers.ts';
import type { Pack } from '../../packs/load-pack.ts';
import type { ComposedSpec } from '../../packs/pack-manifest.ts';
import { preparedGraph } from '../../packs/prepared-graph.ts';
import type { Box } from '../../vision/box.ts';
import { languageStage } from '../language-stage.ts';
import { openPreparedActions } from './prepared-actions.ts';
import { openActions } from './read-actions.ts';

/** Reads what a person does, as one label of the pack's vocabulary. */
export const action = languageStage({
  open: (pack, options) => {
    const spec = actionGraph(pack, options.target);
    return spec === null ? openActions(pack, options) : openPreparedActions(pack, spec, options);
  },
  boxes: (_frame, boxes: readonly Box[]) => boxes,
  answer: (readings) => readings,
});

/**
 * The pack's one graph for the question, on CUDA alone: ONNX Runtime's CPU kernels need ten times as long as the plain path for the
 * integers with which it resizes pictures. In the reference mode the model is to say the label, which takes its other graphs.
 */
function actionGraph({ manifest }: Pack, { device }: ExecutionTarget): ComposedSpec | null {
  return device === 'cuda' && manifest.action.mode === 'score' ? preparedGraph(manifest, 'action') : null;
}
