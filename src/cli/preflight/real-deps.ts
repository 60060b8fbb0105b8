import { access, constants, readdir, readFile, stat } from 'node:fs/promises';

import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';

import { encodeJpeg } from '../../chain/jpeg.ts';
import { type Config, secretFilesIn } from '../../config/config.ts';
import { environment } from '../../config/environment.ts';
import { inspectCudaLibraries } from '../../inference/cuda-libraries.ts';
import { loadPack } from '../../packs/load-pack.ts';
import { unpreparedStages } from '../../packs/unprepared-stages.ts';
import { assertPack } from '../../packs/verify-pack.ts';
import { openDatabase } from '../../persistence/client.ts';
import { type MigrationStatus, readiness } from '../../persistence/migrate.ts';
import { checkQueue, findDeadLetterUrl, readQueueAttributes } from '../../queue/sqs/queue-attributes.ts';
import { inBucketRegion } from '../../storage/bucket-region.ts';
import { checkGpuDecoder } from '../../video/check/check-gpu-decoder.ts';
import { checkTools } from '../../video/check/check-tools.ts';
import { askVersion, locateFfmpeg, type FfmpegTools } from '../../video/tools/ffmpeg-binary.ts';
import { findSandbox } from '../../video/tools/find-sandbox.ts';
import { decoderThreads } from '../execution-plan.ts';
import { sandboxQuestion } from '../open-tools.ts';
import { usableCores } from '../usable-cores.ts';
import { parseEnvironment } from './allocator.ts';
import { parseDescriptorLimit } from './descriptors.ts';
import { queryGpus } from './nvidia-smi.ts';
import { notificationDeps } from './own-images.ts';
import type { PreflightDeps } from './run-preflight.ts';
import type { ReadQueue } from './service-checks.ts';
import { onlyLookingAt, type WorkPlace } from './work-place.ts';

export interface PreflightClients {
  readonly sqs: SQSClient;
  readonly s3: S3Client;
}

const GREY = { width: 64, height: 64, pixels: new Uint8Array(64 * 64 * 3).fill(128) };

/**
 * The checks' hands: the real programs, libraries and services that the configuration names. `place`: of a worker that is about to start;
 * without it nothing is changed anywhere.
 */
export function preflightDeps(
  config: Config,
  clients: PreflightClients,
  place: WorkPlace = onlyLookingAt(config.worker.workDir, config.worker.workDirParents),
): PreflightDeps {
  // The checks of the tools and of the sandbox run side by side: one trial of both tools answers both.
  const tryInSandbox = async (signal: AbortSignal) => {
    const tools = await locateFfmpeg(config.ffmpeg);
    return { ...tools, sandbox: await findSandbox(tools, sandboxQuestion(config), signal) };
  };
  let trial: ReturnType<typeof tryInSandbox> | null = null;
  // A sandbox that is required and does not work is the finding of its own check.
  const openTools = async (signal: AbortSignal) =>
    await (trial ??= tryInSandbox(signal).finally(() => {
      trial = null;
    }));
  return {
    ...notificationDeps(clients.s3),
    nodeVersion: process.version,
    firstEnvironment: async () => parseEnvironment(await readFile('/proc/self/environ', 'utf8')),
    descriptors: async () => ({
      limit: parseDescriptorLimit(await readFile('/proc/self/limits', 'utf8')),
      open: (await readdir('/proc/self/fd')).length,
    }),
    secretFiles: secretFilesIn(environment()),
    modeOf: readableMode,
    findFfmpeg: async (signal) => {
      const tools = await openTools(signal);
      const version = await askVersion(tools);
      const untried = await tryTools(tools, config, place, signal);
      return { ...tools, version, untried };
    },
    trySandbox: async (signal) => (await openTools(signal)).sandbox,
    drawPicture: () => encodeJpeg(GREY, { box: { x1: 8, y1: 24, x2: 56, y2: 56 }, caption: 'picture' }),
    checkGpuDecoder: async (gpu, signal) => {
      const tools = await openTools(signal);
      await using workspace = await place.scratch('preflight-gpu');
      return await checkGpuDecoder(tools, gpu, workspace.directory, signal);
    },
    workDirFacts: () => place.workDir(),
    queryGpus: (signal) => queryGpus('nvidia-smi', signal),
    inspectLibraries: () => inspectCudaLibraries(),
    // Without CUDA nothing of ONNX Runtime is loaded into this thread here.
    probeCuda: async (deviceId) => (await import('../../inference/providers.ts')).probeCudaProvider(deviceId),
    verifyPack: async (dir) => {
      const pack = await loadPack(dir);
      await assertPack(pack, { hash: true });
      return {
        name: pack.manifest.name,
        fingerprint: pack.fingerprint,
        unprepared: unpreparedStages(pack.manifest),
      };
    },
    migrationStatus: (signal) => askDatabase(config, signal),
    readQueue: (url, signal) => readQueue(clients.sqs, url, config.queue.deadLetterUrl, signal),
    // Not HEAD, whose answers have no words: a refusal is to say why. Both need the same right.
    askBucket: async (bucket, signal) => {
      const command = new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 });
      await inBucketRegion(clients.s3, (regional) => regional.send(command, { abortSignal: signal }));
    },
  };
}

/** A tool that answers and yet decodes nothing would cost each start a receive of some good messages. Answers with what kept it from a trial. */
async function tryTools(
  tools: FfmpegTools,
  config: Config,
  place: WorkPlace,
  signal: AbortSignal,
): Promise<string | null> {
  const { concurrency } = config.worker;
  const made = await place.scratch('preflight').then(
    (workspace) => ({ workspace }),
    // Of WORK_DIR its own check says it, too.
    (error: unknown) => ({ untried: error instanceof Error ? error.message : String(error) }),
  );
  if ('untried' in made) return made.untried;
  await using workspace = made.workspace;
  // As many as a video may get: with models on the CPU it gets fewer.
  const threads = decoderThreads(config, { models: 'cuda', cores: usableCores(), videosAtOnce: concurrency });
  await checkTools(tools, workspace.directory, threads, signal);
  return null;
}

async function readableMode(path: string): Promise<number> {
  await access(path, constants.R_OK);
  return (await stat(path)).mode;
}

async function askDatabase({ database: { url, schema } }: Config, signal: AbortSignal): Promise<MigrationStatus> {
  const options = { url: url ?? '', schema, poolSize: 1, connectTimeoutMs: 5000, onlyLooks: true };
  await using database = await openDatabase(options);
  return await readiness(database, signal);
}

async function readQueue(
  sqs: SQSClient,
  url: string,
  configured: string | null,
  signal: AbortSignal,
): Promise<ReadQueue> {
  const attributes = await readQueueAttributes(sqs, url, signal);
  const deadLetterUrl = configured ?? (await findDeadLetterUrl(sqs, attributes, signal));
  return {
    attributes,
    findings: checkQueue(attributes, { deadLetterUrl }),
    deadLetter: deadLetterUrl === null ? null : await readQueueAttributes(sqs, deadLetterUrl, signal),
  };
}
