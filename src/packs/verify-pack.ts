import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { compareMetadata } from './compare-metadata.ts';
import { packFiles, packModels } from './load-pack.ts';
import type { NamedModel, Pack } from './load-pack.ts';
import { rethrowHostFault } from '../failure/host-fault.ts';
import { manifestProblems } from './manifest-rules.ts';
import { readOpset } from '../graphs/onnx/onnx-opset.ts';
import { isMadeFrom, originOf } from './origin-of.ts';
import { PREPARED_STAGES, type PackFile, type PackManifest } from './pack-manifest.ts';
import { brokenPack } from './pack-problem.ts';
import type { PackProblem } from './pack-problem.ts';
import { verifyTokenizer } from './verify-tokenizer.ts';

interface VerifyOptions {
  /** Read every byte and compare the sha256. */
  readonly hash: boolean;
  /** Open every graph on the CPU and compare tensor names, element types and shapes. Default true. */
  readonly graphs?: boolean;
}

/**
 * All problems of the pack: an empty list means that files and graphs are what the manifest says. Throws what the host lacks to look at
 * them, such as memory.
 */
export async function verifyPack(pack: Pack, options: VerifyOptions): Promise<readonly PackProblem[]> {
  const problems: PackProblem[] = [...manifestProblems(pack.manifest)];
  const broken = new Set<string>();
  for (const file of packFiles(pack.manifest)) {
    const found = await verifyFile(pack, file, options.hash);
    if (found.length > 0) broken.add(file.path);
    problems.push(...found);
  }
  if (!broken.has(pack.manifest.language.tokenizer.path)) problems.push(...(await verifyTokenizer(pack)));
  problems.push(...stalePreparation(pack.manifest));
  if (options.graphs === false) return problems;
  for (const model of packModels(pack.manifest)) {
    const files = [model.spec.file, ...(model.spec.externalData ?? [])];
    if (files.every(({ path }) => !broken.has(path))) problems.push(...(await verifyGraph(pack, model)));
  }
  return problems;
}

/** Throws PACK_BROKEN that names every problem; resolves when there is none. */
export async function assertPack(pack: Pack, options: VerifyOptions): Promise<void> {
  const problems = await verifyPack(pack, options);
  if (problems.length > 0) throw brokenPack(pack.manifest.name, problems);
}

/** A prepared graph holds what it was made from: when that changed, it answers for something else. */
function stalePreparation(manifest: PackManifest): readonly PackProblem[] {
  return PREPARED_STAGES.flatMap((stage) => {
    const graph = manifest.prepared?.[stage];
    if (graph === undefined || isMadeFrom(manifest, stage, graph.madeFrom)) return [];
    const expected = `made from ${originOf(manifest, stage)}`;
    const found = `made from ${graph.madeFrom}: prepare the pack again`;
    return [{ file: graph.file.path, field: `prepared.${stage}`, expected, found }];
  });
}

async function verifyFile(pack: Pack, file: PackFile, hash: boolean): Promise<readonly PackProblem[]> {
  let path: string;
  try {
    path = pack.filePath(file);
  } catch (error) {
    return [{ file: file.path, field: 'path', expected: 'a path inside the pack', found: messageOf(error) }];
  }
  const found = await stat(path).catch((error: unknown) => {
    rethrowHostFault(error);
    return messageOf(error);
  });
  if (typeof found === 'string' || !found.isFile()) {
    return [
      { file: file.path, field: 'file', expected: path, found: typeof found === 'string' ? found : 'not a file' },
    ];
  }
  if (found.size !== file.bytes) {
    return [{ file: file.path, field: 'size', expected: `${file.bytes} bytes`, found: `${found.size} bytes` }];
  }
  if (!hash) return [];
  const sha256 = await hashFile(path);
  return sha256 === file.sha256 ? [] : [{ file: file.path, field: 'sha256', expected: file.sha256, found: sha256 }];
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

async function verifyGraph(pack: Pack, model: NamedModel): Promise<readonly PackProblem[]> {
  // Who only hashes files needs neither a runtime nor the readers of graphs.
  const { verifyExternalData } = await import('./verify-external-data.ts');
  const { openSession } = await import('../inference/providers.ts');
  const { file } = model.spec;
  const opset = await readOpset(pack.filePath(file));
  const problems: PackProblem[] = [];
  if (opset !== null && opset !== model.spec.opset) {
    problems.push({ file: file.path, field: 'opset', expected: String(model.spec.opset), found: String(opset) });
  }
  const graph = (found: string): PackProblem => ({
    file: file.path,
    field: 'graph',
    expected: 'an ONNX model',
    found,
  });
  try {
    // First: ONNX Runtime's own words for weights that are not there name no field.
    const external = await verifyExternalData(pack, model);
    if (external.length > 0) return [...problems, ...external];
  } catch (error) {
    rethrowHostFault(error);
    return [...problems, graph(messageOf(error))];
  }
  try {
    const session = await openSession(pack.filePath(file), { device: 'cpu', threads: 1 });
    problems.push(...compareMetadata(model.spec, session));
    await session.release();
  } catch (error) {
    rethrowHostFault(error);
    problems.push(graph(causeOf(error)));
  }
  return problems;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function causeOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}
