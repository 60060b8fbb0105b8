import { Failure } from '../failure.ts';
import { loadPack, packModels } from './load-pack.ts';
import type { TensorSpec } from './pack-manifest.ts';
import { describeProblem } from './pack-problem.ts';
import type { PackProblem } from './pack-problem.ts';
import { probeCudaProvider } from './providers.ts';
import { verifyPack } from './verify-pack.ts';

export interface ModelsReport {
  readonly ok: boolean;
  /** Null where the manifest itself is wrong. */
  readonly pack: { readonly name: string; readonly dir: string; readonly fingerprint: string } | null;
  /** One per graph: its place in the manifest, file and tensors. */
  readonly models: readonly { readonly field: string; readonly file: string; readonly tensors: string }[];
  readonly problems: readonly PackProblem[];
  /** Null where the CUDA provider was not asked for. */
  readonly cuda: { readonly ok: boolean; readonly text: string } | null;
}

/** Everything that `models verify` tells of a pack; never throws for a broken one. */
export async function verifyModels(
  dir: string,
  options: { readonly device: 'cpu' | 'cuda'; readonly deviceId?: number },
): Promise<ModelsReport> {
  const cuda = options.device === 'cuda' ? await reportCuda(options.deviceId ?? 0) : null;
  try {
    const pack = await loadPack(dir);
    const problems = await verifyPack(pack, { hash: true });
    return {
      ok: problems.length === 0 && (cuda === null || cuda.ok),
      pack: { name: pack.manifest.name, dir: pack.dir, fingerprint: pack.fingerprint },
      models: packModels(pack.manifest).map(({ field, spec }) => ({
        field,
        file: spec.file.path,
        tensors: `${tensorsText(spec.inputs)} -> ${tensorsText(spec.outputs)}`,
      })),
      problems,
      cuda,
    };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'PACK_BROKEN') throw error;
    const problem = { file: 'manifest.json', field: 'manifest', expected: 'a pack manifest', found: error.message };
    return { ok: false, pack: null, models: [], problems: [problem], cuda };
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
  if (report.cuda !== null) lines.push(`${report.cuda.ok ? 'ok  ' : 'FAIL'} CUDA provider: ${report.cuda.text}`);
  return lines;
}

async function reportCuda(deviceId: number): Promise<{ readonly ok: boolean; readonly text: string }> {
  const probe = await probeCudaProvider(deviceId);
  if (!probe.ok) return { ok: false, text: probe.reason };
  return { ok: true, text: `ran a convolution in ${Math.round(probe.milliseconds)} ms, start included` };
}

/** Long lists, such as the caches of a decoder, are cut. */
function tensorsText(tensors: readonly TensorSpec[]): string {
  const shown = tensors.slice(0, 4).map((t) => `${t.name} ${t.dtype}[${t.shape.join(',')}]`);
  return tensors.length > 4 ? `${shown.join(' ')} and ${tensors.length - 4} more` : shown.join(' ');
}
