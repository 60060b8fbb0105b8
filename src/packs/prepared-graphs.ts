import { ANCHORS_OUTPUT } from '../graphs/prepare/prepared-inputs.ts';
import { PREPARED_STAGES, type ComposedSpec, type PackManifest, type PreparedStage } from './pack-manifest.ts';

/**
 * The composed graph of a stage; null where the pack has none that this version runs. Then the stage runs the plain way, with the same
 * results and more of the processor.
 */
export function preparedGraph(manifest: PackManifest, stage: PreparedStage): ComposedSpec | null {
  const graph = manifest.prepared?.[stage];
  if (graph === undefined || (stage === 'detection' && !isDetectorOfToday(manifest, graph))) return null;
  return graph;
}

/** Stages that run the plain way though preparing the pack anew could give them a graph. */
export function unpreparedStages(manifest: PackManifest): readonly PreparedStage[] {
  // The reference mode asks step by step.
  const stages = manifest.action.mode === 'score' ? PREPARED_STAGES : PREPARED_STAGES.filter((one) => one !== 'action');
  return stages.filter((stage) => preparedGraph(manifest, stage) === null);
}

/** Those of earlier versions suppressed by themselves, and want to be fed with more. */
function isDetectorOfToday({ detection }: PackManifest, { outputs }: ComposedSpec): boolean {
  if (detection.adapter !== 'yolov8') return true;
  return Object.values(ANCHORS_OUTPUT).every((name) => outputs.some((output) => output.name === name));
}
