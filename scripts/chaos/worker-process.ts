import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../src/analysis/settings.ts';
import { openDatabase } from '../../src/persistence/client.ts';
import { recordRejection } from '../../src/persistence/runs.ts';
import { createSqsClients } from '../../src/queue/sqs-client.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { locateFfmpeg } from '../../src/video/ffmpeg-binary.ts';
import { removeStaleWorkspaces } from '../../src/video/workspace.ts';
import type { ProcessJob } from '../../src/worker/delivery.ts';
import { WorkerEventBus } from '../../src/worker/events.ts';
import { createVideoProcessor, type VideoProcessorSettings } from '../../src/worker/process-video.ts';
import { watchSignals } from '../../src/worker/signals.ts';
import { Worker, type DrainReport } from '../../src/worker/worker.ts';
import { FakeChain } from '../../test/support/fake-chain.ts';
import type { ChaosWorkerSettings } from './worker-settings.ts';

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Everything is the daemon's own but for the models, which answer from a script. */
const settings = JSON.parse(process.argv[2] ?? '') as ChaosWorkerSettings;
const logger = createLogger({ level: 'warn', format: 'json', name: settings.workerId });
const database = await openDatabase({
  url: settings.databaseUrl,
  schema: settings.schema,
  poolSize: 3,
  statementTimeoutMs: 4_000,
  connectTimeoutMs: 3_000,
});
const s3 = new S3Client({
  region: settings.region,
  endpoint: settings.s3Endpoint,
  forcePathStyle: true,
  credentials: CREDENTIALS,
});
const clients = createSqsClients({
  region: settings.region,
  endpoint: settings.sqsEndpoint,
  credentials: CREDENTIALS,
});
const tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
await removeStaleWorkspaces(settings.workDir);

const chain = new FakeChain(() => [{ box: [20, 20, 120, 160], face: [50, 25, 80, 60], action: 'falling' }], {
  before: async (stage, _sample, signal) => {
    if (stage === 'detection') await sleep(settings.frameMs, undefined, { signal });
  },
});
const events = new WorkerEventBus(logger);
const worker = new Worker({
  queues: [{ url: settings.queueUrl, name: 'videos', weight: 1, deadLetterUrl: settings.deadLetterUrl }],
  concurrency: 2,
  processJob: soon(createVideoProcessor({ database, s3, tools, chain, describer: null, logger }, processor())),
  clients,
  settings: {
    visibilitySeconds: settings.visibilitySeconds,
    waitSeconds: 1,
    maxProcessingSeconds: 60,
    unwindMs: 5_000,
    workerVersion: 'chaos',
    breaker: { threshold: 3, firstPauseMs: 1_000, maxPauseMs: 4_000 },
  },
  logger,
  events,
  onRejectedMessage: (messageId, failure) =>
    recordRejection(database, { messageId, failure }, AbortSignal.timeout(5_000)),
});

const drained = Promise.withResolvers<DrainReport>();
watchSignals(process, {
  onFirst: (signal) => {
    worker.drain(signal, settings.drainMs).then(drained.resolve, drained.reject);
  },
  onSecond: (signal) => {
    void worker.drainNow(signal);
  },
});
// Nobody is left to ask for anything.
const orphaned = (): never => process.exit(1);
process.once('disconnect', orphaned);
events.on('worker:state', ({ state }) => {
  if (state !== 'draining') return;
  queueMicrotask(() => {
    worker.drain('', 0).then(drained.resolve, drained.reject);
  });
});
worker.start();
const report = await drained.promise;
clients[Symbol.dispose]();
s3.destroy();
await database.close();
process.exitCode = report.stuck > 0 ? 3 : 0;
process.off('disconnect', orphaned);
process.disconnect();

/** The daemon's waits after a failure are made for hours of trouble, not for a run of a minute. */
function soon(processJob: ProcessJob): ProcessJob {
  return async (delivery, signal) => {
    const disposition = await processJob(delivery, signal);
    return disposition.kind === 'retry' || disposition.kind === 'defer'
      ? { ...disposition, afterSeconds: Math.min(disposition.afterSeconds, 2) }
      : disposition;
  };
}

function processor(): VideoProcessorSettings {
  return {
    workerId: settings.workerId,
    workDir: settings.workDir,
    analysis: { ...DEFAULT_ANALYSIS_SETTINGS, sceneEverySamples: 2 },
    decode: { stallTimeoutMs: 20_000, wallTimeoutMs: 60_000, maxFrames: 10_000, threads: 1 },
    download: { maxBytes: 10_000_000, timeoutMs: 3_000, retryBaseMs: 200 },
    video: {
      maxDurationSeconds: 60,
      maxPixels: 1_000_000,
      maxFrameRate: 60,
      maxFrames: 3_600,
      maxStreams: 4,
      timeoutMs: 20_000,
    },
    highlightsBucket: settings.highlightsBucket,
    aliveSeconds: settings.aliveSeconds,
  };
}
