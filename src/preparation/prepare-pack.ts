import { createHash, randomUUID } from 'node:crypto';
import { constants, mkdirSync, renameSync, rmSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix, resolve } from 'node:path';
import { Failure } from '../failure/failure.ts';
import { rethrowHostFault } from '../failure/host-fault.ts';
import { brokenPack, type PackProblem } from '../packs/pack-problem.ts';
import { loadPack, packFiles, type Pack } from '../packs/load-pack.ts';
import type { ComposedSpec, PackManifest, PreparedStage } from '../packs/pack-manifest.ts';
import { PREPARED_STAGES } from '../packs/pack-manifest.ts';
import { originOf } from '../packs/origin-of.ts';
import { assertPack, verifyPack } from '../packs/verify-pack.ts';
import { composeAction } from './compose-action.ts';
import { composeStage, type ComposedGraph } from './compose-stage.ts';

/** The composed files lie beside the manifest: ONNX Runtime looks for external weights in the file's folder and below it. */
function composedFile(stage: PreparedStage): string {
  return `prepared_${stage.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}.onnx`;
}

interface PreparedPack {
  readonly dir: string;
  readonly fingerprint: string;
  readonly stages: readonly {
    readonly stage: PreparedStage;
    /** Null: the stage runs the plain way. */
    readonly file: string | null;
    /** Why there is no graph; empty where there is one. */
    readonly reason: string;
  }[];
}

/** What became of a stage; a string says why there is no graph. */
type Outcomes = Readonly<Record<PreparedStage, ComposedSpec | string>>;

/**
 * Writes a prepared copy of a pack: every file of it, and the graphs that put preparation and reading around the official
 * models. The pack is verified first, the result afterwards, and the folder appears whole or not at all. A pack that is prepared is
 * prepared anew from its official models. Throws CONFIG_INVALID for a folder that is in use, PACK_BROKEN for a pack or a graph that is
 * not what its manifest says. When `stop` is aborted, nothing is left: what was written is gone as soon as that returns, since the
 * process may end then.
 */
export async function preparePack(dir: string, outDir: string, stop?: AbortSignal): Promise<PreparedPack> {
  const raw = unprepared(await loadPack(dir));
  const out = resolve(outDir);
  await assertUnused(out);
  await assertPack(raw, { hash: true });
  await mkdir(dirname(out), { recursive: true });
  // Not mkdtemp: its folder is for its owner alone, and the worker may run as another user.
  const folder = `${out}.partial-${randomUUID()}`;
  // A file may be in the middle of being made by another thread.
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  stop?.addEventListener('abort', remove);
  try {
    mkdirSync(folder);
    await copyFiles(raw, folder, stop);
    let outcomes = await composeStages(raw, folder);
    let written = await writeManifest(raw, outcomes, folder);
    const refused = await dropAction(written, outcomes, folder);
    if (refused !== null) {
      outcomes = { ...outcomes, action: refused };
      written = await writeManifest(raw, outcomes, folder);
    }
    if (written.problems.length > 0) throw brokenPack(written.pack.manifest.name, written.problems);
    moveInto(folder, out);
    return { dir: out, fingerprint: written.pack.fingerprint, stages: stagesOf(outcomes) };
  } catch (error) {
    remove();
    // Where the folder went away, the error is about that.
    throw stop?.aborted === true ? stop.reason : error;
  } finally {
    stop?.removeEventListener('abort', remove);
  }
}

/** The pack without its composed graphs, which an earlier version may have made. */
function unprepared(pack: Pack): Pack {
  const { prepared: _graphs, ...manifest } = pack.manifest;
  return { ...pack, manifest };
}

async function assertUnused(out: string): Promise<void> {
  let entries: readonly string[];
  try {
    entries = await readdir(out);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    rethrowHostFault(cause);
    throw new Failure('CONFIG_INVALID', `${out} cannot be written to; name a folder that is not there yet`, { cause });
  }
  if (entries.length === 0) return;
  throw new Failure('CONFIG_INVALID', `${out} is not empty; name a folder that is not there yet`);
}

/** An empty folder is replaced; one that was filled in the meantime is not. At once: a stop in the midst of it would find half of it. */
function moveInto(folder: string, out: string): void {
  try {
    renameSync(folder, out);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw cause;
    throw new Failure('CONFIG_INVALID', `${out} was written to while the pack was prepared; name another folder`, {
      cause,
    });
  }
}

async function copyFiles(raw: Pack, folder: string, stop?: AbortSignal): Promise<void> {
  const composed = new Set(PREPARED_STAGES.map(composedFile));
  for (const file of packFiles(raw.manifest)) {
    stop?.throwIfAborted();
    if (composed.has(posix.normalize(file.path))) {
      throw new Failure('PACK_BROKEN', `${raw.dir}: ${file.path} has the name of a prepared graph; rename it`);
    }
    const target = join(folder, file.path);
    await mkdir(dirname(target), { recursive: true });
    // Where the file system can, weights are shared instead of stored twice.
    await copyFile(raw.filePath(file), target, constants.COPYFILE_FICLONE);
  }
}

async function writeGraph(
  raw: Pack,
  stage: PreparedStage,
  { graph, bytes, externalData }: ComposedGraph,
  folder: string,
): Promise<ComposedSpec> {
  const path = composedFile(stage);
  await writeFile(join(folder, path), bytes);
  return {
    file: { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length },
    ...(externalData.length === 0 ? {} : { externalData: [...externalData] }),
    opset: graph.opset,
    inputs: graph.inputs.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
    outputs: graph.outputs.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
    madeFrom: originOf(raw.manifest, stage),
  };
}

/** Composes what can be composed, and writes it into the folder. */
async function composeStages(raw: Pack, folder: string): Promise<Outcomes> {
  const outcomes: Partial<Record<PreparedStage, ComposedSpec | string>> = {};
  for (const stage of PREPARED_STAGES) {
    const composed = stage === 'action' ? await composeAction(raw) : await composeStage(raw, stage);
    outcomes[stage] =
      'reason' in composed
        ? withoutFolder(composed.reason, raw.filesRoot)
        : await writeGraph(raw, stage, composed, folder);
  }
  return outcomes as Outcomes;
}

interface Written {
  readonly pack: Pack;
  readonly problems: readonly PackProblem[];
}

/** Writes the manifest of the prepared pack, and looks at all that lies in the folder. */
async function writeManifest(raw: Pack, outcomes: Outcomes, folder: string): Promise<Written> {
  const all = Object.entries(outcomes);
  const graphs = Object.fromEntries(all.filter(([, outcome]) => typeof outcome !== 'string'));
  const reasons = all.flatMap(([stage, reason]) => (typeof reason === 'string' ? [[stage, reason] as const] : []));
  const prepared: PackManifest['prepared'] =
    reasons.length === 0 ? graphs : { ...graphs, notComposed: Object.fromEntries(reasons) };
  const manifest: PackManifest = { ...raw.manifest, filesRoot: '.', prepared };
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`);
  const pack = await loadPack(folder);
  return { pack, problems: await verifyPack(pack, { hash: true }) };
}

/**
 * Removes the action's graph where ONNX Runtime refuses it, and gives the reason; null where nothing is wrong or something else is. The
 * official models run as they are, so that the stage does without.
 */
async function dropAction({ problems }: Written, { action }: Outcomes, folder: string): Promise<string | null> {
  if (typeof action === 'string' || problems.length === 0) return null;
  const { path } = action.file;
  if (problems.some(({ file }) => file !== path)) return null;
  await rm(join(folder, path));
  return withoutFolder(
    `ONNX Runtime does not take its graph: ${problems.map(({ found }) => found).join('; ')}`,
    folder,
  );
}

/** A reason stands in the manifest, whose bytes are not to depend on where a pack was prepared. */
function withoutFolder(reason: string, folder: string): string {
  return reason.replaceAll(`${folder}/`, '').replaceAll(/\s+/g, ' ').trim();
}

function stagesOf(outcomes: Outcomes): PreparedPack['stages'] {
  return PREPARED_STAGES.map((stage) => {
    const outcome = outcomes[stage];
    return typeof outcome === 'string'
      ? { stage, file: null, reason: outcome }
      : { stage, file: outcome.file.path, reason: '' };
  });
}

/** What was prepared, as lines for a terminal. */
export function preparedLines(prepared: PreparedPack): readonly string[] {
  return [
    `pack in ${prepared.dir}`,
    `fingerprint ${prepared.fingerprint}`,
    ...prepared.stages.map(({ stage, file, reason }) =>
      file === null ? `--   ${stage}: runs the plain way: ${reason}` : `ok   ${stage}: ${file}`,
    ),
  ];
}
