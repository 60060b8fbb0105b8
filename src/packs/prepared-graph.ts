import { ANCHORS_OUTPUT } from '../graphs/prepare/prepared-inputs.ts';
import type { ComposedSpec, PackManifest, PreparedStage } from './pack-manifest.ts';

/**
 * The composed graph of a stage; null where the pack has none that this version runs. Then the stage runs the plain way, with the same
 * results and more of the processor.
 */
export function preparedGraph(manifest: PackManifest, stage: PreparedStage): ComposedSpec | null {
  const graph = manifest.prepared?.[stage];
  if (graph === undefined || (stage === 'detection' && !isDetectorOfToday(manifest, graph))) return null;
  return graph;
}

/** Those of earlier versions suppressed by themselves, and want to be fed with more. */
function isDetectorOfToday({ detection }: PackManifest, { outputs }: ComposedSpec): boolean {
  if (detection.adapter !== 'yolov8') return true;
  return Object.values(ANCHORS_OUTPUT).every((name) => outputs.some((output) => output.name === name));
}
