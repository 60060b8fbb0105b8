import type { S3Client } from '@aws-sdk/client-s3';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../src/analysis/settings.ts';
import { RETRY_POLICIES } from '../../src/failure/retry.ts';
import type { ModelChain } from '../../src/chain/model-chain.ts';
import { openDatabase, type Database } from '../../src/persistence/client.ts';
import { migrateDatabase } from '../../src/persistence/migrate.ts';
import { recordRejectedMessage } from '../../src/cli/record-rejected-message.ts';
import { tellDegraded } from '../../src/cli/worker-health.ts';
import { createSqsClients, type SqsClients } from '../../src/queue/sqs/sqs-client.ts';
import { createSqsQueue } from '../../src/queue/sqs/sqs-queue.ts';
import { WorkFolder } from '../../src/storage/work-folder.ts';
import type { MeasureFileSystem } from '../../src/storage/work-dir-space.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Clock } from '../../src/time/clock.ts';
import { locateFfmpeg, type FfmpegPaths } from '../../src/video/tools/ffmpeg-binary.ts';
import type { ProcessJob } from '../../src/worker/delivery.ts';
import { WorkerEventBus } from '../../src/worker/events.ts';
import type { VideoProcessorSettings } from '../../src/job/job-context.ts';
import { createVideoProcessor } from '../../src/job/process-video.ts';
import type { WorkerSettings } from '../../src/worker/worker-options.ts';
import { Worker } from '../../src/worker/worker.ts';
import { FakeChain } from './fake-chain.ts';
import { localS3, TEST_CREDENTIALS, TEST_REGION } from './local-aws.ts';
import { owned } from './ownership.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from './small-videos.ts';

export interface VideoWorkerOptions {
  /** Of the server that answers for SQS and S3. */
  readonly endpoint: string;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  readonly databaseUrl: string;
  readonly workDir: string;
  readonly logger: Logger;
  readonly concurrency?: number;
  readonly settings?: Partial<WorkerSettings>;
  readonly processing?: Partial<VideoProcessorSettings>;
  readonly chain?: ModelChain;
  /** The system's when absent. */
  readonly tools?: FfmpegPaths;
  /** How much room there seems to be in its folder; its file system is asked when absent. */
  readonly measureWorkDir?: MeasureFileSystem;
  /** The system's when absent. */
  readonly clock?: Clock;
  /** Around the job function, for what a test wants to see or change. */
  readonly wrap?: (processJob: ProcessJob) => ProcessJob;
}

/** The daemon's own parts on real servers, with models that answer from a script. */
export interface VideoWorker extends AsyncDisposable {
  readonly worker: Worker;
  readonly events: WorkerEventBus;
  readonly database: Database;
  readonly clients: SqsClients;
  readonly s3: S3Client;
}

/** Builds a worker that downloads, probes, decodes and stores for real; migrates its schema. Not started yet. */
export async function createVideoWorker(options: VideoWorkerOptions): Promise<VideoWorker> {
  const { logger, endpoint } = options;
  const database = await openDatabase({ url: options.databaseUrl, schema: 'video_worker', poolSize: 4 });
  await migrateDatabase(database, AbortSignal.timeout(180_000));
  const s3 = localS3({ endpoint });
  const clients = createSqsClients({ region: TEST_REGION, endpoint, credentials: TEST_CREDENTIALS });
  const tools = await locateFfmpeg(options.tools ?? { ffmpegPath: null, ffprobePath: null });
  const chain = options.chain ?? new FakeChain(() => [{ box: [8, 8, 32, 48], action: 'walking' }]);
  const events = new WorkerEventBus(logger);
  const workFolder = new WorkFolder(options.workDir);
  const processJob = createVideoProcessor(
    {
      database,
      s3,
      tools,
      chain,
      describer: null,
      logger,
      workFolder,
      onStored: (analysis) => tellDegraded(events, analysis),
      ...(options.measureWorkDir === undefined ? {} : { measureWorkDir: options.measureWorkDir }),
    },
    { ...processing(), ...options.processing },
  );
  const worker = new Worker({
    queues: [
      {
        name: 'videos',
        weight: 1,
        messages: createSqsQueue(clients, {
          url: options.queueUrl,
          deadLetterUrl: options.deadLetterUrl,
          redrive: { maxReceives: null },
        }),
      },
    ],
    concurrency: options.concurrency ?? 2,
    processJob: options.wrap?.(processJob) ?? processJob,
    settings: {
      visibilitySeconds: 60,
      waitSeconds: 1,
      maxProcessingSeconds: 60,
      // Long enough for a machine that does other work as well: tests end jobs, not this limit.
      unwindMs: 60_000,
      workerVersion: 'test',
      ...options.settings,
    },
    logger,
    events,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    onRejectedMessage: (message, failure) =>
      recordRejectedMessage(database, message, { failure, worker: 'worker-a' }, AbortSignal.timeout(60_000)),
  });
  return {
    worker,
    events,
    database,
    clients,
    s3,
    [Symbol.asyncDispose]: owned('a worker of videos', async () => {
      if (worker.state !== 'starting') await worker.drainNow('end');
      clients[Symbol.dispose]();
      s3.destroy();
      await workFolder[Symbol.asyncDispose]();
      await database.close();
    }),
  };
}

function processing(): VideoProcessorSettings {
  return {
    workerId: 'worker-a',
    analysis: { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off' },
    decode: SMALL_VIDEO_DECODING,
    download: { maxBytes: 10_000_000, timeoutMs: 30_000, retry: { ...RETRY_POLICIES.download, baseMs: 50 } },
    video: SMALL_VIDEO_LIMITS,
    highlightsBucket: null,
    maxResultRows: 100_000,
    highlightsRequired: false,
    ignores: () => null,
    aliveSeconds: 60,
    leaseSeconds: 60,
  };
}
