import { Failure } from '../failure/failure.ts';
import { rethrowHostFault } from '../failure/host-fault.ts';
import { loadPack, packModels } from '../packs/load-pack.ts';
import type { Pack } from '../packs/load-pack.ts';
import type { ComposedSpec, PackManifest, TensorSpec } from '../packs/pack-manifest.ts';
import { describeProblem } from '../packs/pack-problem.ts';
import type { PackProblem } from '../packs/pack-problem.ts';
import { placeGraph, placementLines } from '../graphs/placement/graph-placement.ts';
import type { GraphPlacement } from '../graphs/placement/graph-placement.ts';
import { probeCudaProvider } from '../inference/providers.ts';
import { compareActions, type ScoreComparison } from './compare-actions.ts';
import { unpreparedStages, type UnpreparedStage } from '../packs/unprepared-stages.ts';
import { verifyPack } from '../packs/verify-pack.ts';

interface ModelsReport {
  readonly ok: boolean;
  /** Null where the manifest itself is wrong. */
  readonly pack: { readonly name: string; readonly dir: string; readonly fingerprint: string } | null;
  /** One per graph: its place in the manifest, file and tensors. */
  readonly models: readonly { readonly field: string; readonly file: string; readonly tensors: string }[];
  readonly problems: readonly PackProblem[];
  /** Stages that run the plain way, in a pack that is prepared; null in one that is not. */
  readonly unprepared: readonly UnpreparedStage[] | null;
  /**
   * How far the prepared action's scores are from those of the official models; a string says why they were not compared, null that
   * there is nothing to compare.
   */
  readonly action: ScoreComparison | string | null;
  /** Where nodes would run on the GPU, by the table of kernels; empty where CUDA was not asked for. */
  readonly placements: readonly GraphPlacement[];
  /** Whether the CUDA provider runs here; null where it was not asked for. Verifying a pack needs no GPU. */
  readonly cuda: { readonly ok: boolean; readonly needed: boolean; readonly text: string } | null;
}

/**
 * Everything that `models verify` tells of a pack; never throws for a broken one, but what the host lacks to look at it. With `gpu` the CUDA provider must run here;
 * without, where nodes would run is told by the table of kernels alone.
 */
export async function verifyModels(
  dir: string,
  options: { readonly device: 'cpu' | 'cuda'; readonly deviceId?: number; readonly gpu?: boolean },
): Promise<ModelsReport> {
  const cuda = options.device === 'cuda' ? await reportCuda(options.deviceId ?? 0, options.gpu === true) : null;
  try {
    const pack = await loadPack(dir);
    const found = await verifyPack(pack, { hash: true });
    const { action, problems: wrong } = await verifyAction(pack, found);
    const problems = [...found, ...wrong];
    const placements = options.device === 'cuda' ? await placeModels(pack, problems) : [];
    return {
      ok:
        problems.length === 0 &&
        placements.every(({ offGpu }) => offGpu.length === 0) &&
        (cuda === null || cuda.ok || !cuda.needed),
      pack: { name: pack.manifest.name, dir: pack.dir, fingerprint: pack.fingerprint },
      models: packModels(pack.manifest).map(({ field, spec }) => ({
        field,
        file: spec.file.path,
        tensors: `${tensorsText(spec.inputs)} -> ${tensorsText(spec.outputs)}`,
      })),
      problems,
      unprepared: pack.manifest.prepared === undefined ? null : unpreparedStages(pack.manifest),
      action,
      placements,
      cuda,
    };
  } catch (error) {
    rethrowHostFault(error);
    if (!(error instanceof Failure) || error.code !== 'PACK_BROKEN') throw error;
    const problem = { file: 'manifest.json', field: 'manifest', expected: 'a pack manifest', found: error.message };
    return {
      ok: false,
      pack: null,
      models: [],
      problems: [problem],
      unprepared: null,
      action: null,
      placements: [],
      cuda,
    };
  }
}

/** The report as lines for a terminal. */
export function modelsReportLines(report: ModelsReport): readonly string[] {
  const lines: string[] = [];
  if (report.pack !== null) {
    lines.push(`pack ${report.pack.name} in ${report.pack.dir}`, `fingerprint ${report.pack.fingerprint}`);
  }
  for (const model of report.models) {
    const broken = report.problems.some((problem) => problem.file === model.file);
    lines.push(`${broken ? 'FAIL' : 'ok  '} ${model.field}: ${model.file} ${model.tensors}`);
  }
  for (const problem of report.problems) lines.push(`FAIL ${describeProblem(problem)}`);
  lines.push(...unpreparedLines(report), ...scoreLines(report));
  if (report.placements.length > 0) lines.push(...placementLines(report.placements));
  if (report.cuda !== null) {
    const { ok, needed, text } = report.cuda;
    lines.push(`${ok ? 'ok  ' : needed ? 'FAIL' : 'skip'} CUDA provider: ${text}`);
  }
  return lines;
}

/** What runs the plain way is no fault, and costs time on a GPU. */
function unpreparedLines({ pack, unprepared }: ModelsReport): readonly string[] {
  if (pack === null) return [];
  const command = `\`video-worker models prepare ${pack.dir} --out NEW_FOLDER\``;
  if (unprepared === null) return [`--   prepared: none; for a GPU: ${command}`];
  return unprepared.map(({ stage, leftAside, reason }) => {
    if (reason !== null) return `--   prepared.${stage}: none, runs the plain way: ${reason}`;
    const found = leftAside ? 'left aside, since an earlier version made it' : 'none';
    return `--   prepared.${stage}: ${found}; runs the plain way until the pack is prepared again: ${command}`;
  });
}

function scoreLines({ action }: ModelsReport): readonly string[] {
  if (action === null) return [];
  if (typeof action === 'string') return [`--   prepared.action: scores not compared: ${action}`];
  const { worst, bound } = action;
  return [
    `ok   prepared.action on the CPU: label scores within ${worst.toExponential(1)} of the official models' (bound ${bound})`,
  ];
}

/** Files that are not what the manifest says are named already. */
async function placeModels(pack: Pack, problems: readonly PackProblem[]): Promise<readonly GraphPlacement[]> {
  const broken = new Set(problems.map(({ file }) => file));
  const placements: GraphPlacement[] = [];
  for (const { field, spec } of packModels(pack.manifest)) {
    const { path } = spec.file;
    if (!broken.has(path)) placements.push(await placeGraph(pack.filePath(spec.file), { field, file: path }));
  }
  return placements;
}

/** The scores of one graph against the steps', where nothing else is wrong with the models of either. */
async function verifyAction(
  pack: Pack,
  known: readonly PackProblem[],
): Promise<Pick<ModelsReport, 'action' | 'problems'>> {
  const spec = pack.manifest.prepared?.action;
  if (spec === undefined) return { action: null, problems: [] };
  if (known.length > 0) {
    const files = [...new Set(known.map(({ file }) => file))];
    return { action: `first mend what is wrong with ${files.join(', ')}`, problems: [] };
  }
  const official = 'those of the official models';
  const scores = (file: string, expected: string, found: string): Pick<ModelsReport, 'action' | 'problems'> => ({
    action: null,
    problems: [{ file, field: 'scores', expected, found }],
  });
  try {
    const action = await compareActions(pack, spec);
    if (action.worst <= action.bound) return { action, problems: [] };
    return scores(spec.file.path, `${official} within ${action.bound}`, `a difference of ${action.worst}`);
  } catch (error) {
    rethrowHostFault(error);
    if (!(error instanceof Failure)) throw error;
    const file = fileOf(error, pack.manifest, spec);
    return scores(file, file === spec.file.path ? official : 'label scores, step by step', error.message);
  }
}

/** What gave no scores, by its name in the message: the prepared graph, or one of the official files, which run first. */
function fileOf({ message }: Failure, { language }: PackManifest, spec: ComposedSpec): string {
  const { visionEncoder, embedTokens, decoder, tokenizer } = language;
  const files = [spec.file, visionEncoder.file, embedTokens.file, decoder.file, tokenizer];
  return files.find(({ path }) => message.includes(path))?.path ?? 'manifest.json';
}

async function reportCuda(deviceId: number, needed: boolean): Promise<NonNullable<ModelsReport['cuda']>> {
  const probe = await probeCudaProvider(deviceId);
  if (!probe.ok) {
    return {
      ok: false,
      needed,
      text: needed ? probe.failure.message : `no GPU here to try it on: ${probe.failure.message}`,
    };
  }
  const milliseconds = Math.round(probe.milliseconds);
  return { ok: true, needed, text: `ran a convolution in ${milliseconds} ms, start included` };
}

/** Long lists, such as the caches of a decoder, are cut. */
function tensorsText(tensors: readonly TensorSpec[]): string {
  const shown = tensors.slice(0, 4).map((t) => `${t.name} ${t.dtype}[${t.shape.join(',')}]`);
  return tensors.length > 4 ? `${shown.join(' ')} and ${tensors.length - 4} more` : shown.join(' ');
}
