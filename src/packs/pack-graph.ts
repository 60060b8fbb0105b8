import type { Graph } from '../inference/model.ts';
import { openSession, type ExecutionTarget, type InferenceSession } from '../inference/providers.ts';
import { compareMetadata } from './compare-metadata.ts';
import type { NamedModel, Pack } from './load-pack.ts';
import { brokenPack } from './pack-problem.ts';

/** A graph of the pack, to be opened as a model; opening it throws PACK_BROKEN where its tensors are not the manifest's. */
export function packGraph(pack: Pack, model: NamedModel): Graph {
  return { spec: model.spec, open: (target) => openChecked(pack, model, target) };
}

async function openChecked(
  pack: Pack,
  { spec, field }: NamedModel,
  target: ExecutionTarget,
): Promise<InferenceSession> {
  const session = await openSession(pack.filePath(spec.file), target);
  const problems = compareMetadata(spec, session);
  if (problems.length === 0) return session;
  await session.release();
  throw brokenPack(pack.manifest.name, problems, { details: { field } });
}
