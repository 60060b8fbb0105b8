import { PREPARED_STAGES, type PackManifest, type PreparedStage } from './pack-manifest.ts';
import { preparedGraph } from './prepared-graph.ts';

/** A stage that could have a graph of its own, and runs the plain way. */
export interface UnpreparedStage {
  readonly stage: PreparedStage;
  /** Whether the pack has one that an earlier version made, and this one does not run. */
  readonly leftAside: boolean;
  /** Why `models prepare` made none, so that it is no use to ask it again; null where it was not asked or an earlier version was. */
  readonly reason: string | null;
}

/** Stages that run the plain way where a graph of their own would be faster. */
export function unpreparedStages(manifest: PackManifest): readonly UnpreparedStage[] {
  // The reference mode asks step by step.
  const stages = manifest.action.mode === 'score' ? PREPARED_STAGES : PREPARED_STAGES.filter((one) => one !== 'action');
  return stages
    .filter((stage) => preparedGraph(manifest, stage) === null)
    .map((stage) => ({
      stage,
      leftAside: manifest.prepared?.[stage] !== undefined,
      reason: manifest.prepared?.notComposed?.[stage] ?? null,
    }));
}
