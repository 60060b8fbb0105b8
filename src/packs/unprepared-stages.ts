import { PREPARED_STAGES, type PackManifest, type PreparedStage } from './pack-manifest.ts';
import { preparedGraph } from './prepared-graph.ts';

/** Stages that run the plain way though preparing the pack anew could give them a graph. */
export function unpreparedStages(manifest: PackManifest): readonly PreparedStage[] {
  // The reference mode asks step by step.
  const stages = manifest.action.mode === 'score' ? PREPARED_STAGES : PREPARED_STAGES.filter((one) => one !== 'action');
  return stages.filter((stage) => preparedGraph(manifest, stage) === null);
}
