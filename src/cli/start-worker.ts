import './no-telemetry.ts';
import { Command } from 'commander';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import { loadConfig, type Config } from '../config/config.ts';
import { migrateDatabase } from '../persistence/migrate.ts';
import { recordRejection } from '../persistence/record-rejection.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { locateFfmpeg } from '../video/ffmpeg-binary.ts';
import { removeStaleWorkspaces } from '../storage/workspace.ts';
import { WorkerEventBus } from '../worker/events.ts';
import { EXIT_CODES, exitCodeOf } from '../worker/exit-codes.ts';
import { createVideoProcessor } from '../job/process-video.ts';
import {
  createDescriber,
  createS3,
  createSqs,
  openChain,
  openConfiguredDatabase,
  processorSettings,
} from './open-parts.ts';
import { watchCrashes, type CrashPath } from './crash-path.ts';
import { explain } from './explain.ts';
import { preflightDeps } from './preflight/real-deps.ts';
import { renderPreflight } from './preflight/render.ts';
import { runPreflight } from './preflight/run-preflight.ts';
import { runDaemon } from './run-daemon.ts';
import { VERSION } from './version.ts';
import { stageSecondsOf } from './worker-health.ts';

type DaemonConfig = Config<'queue' | 'database' | 'models'>;

const PREFLIGHT_TIMEOUT_MS = 60_000;

async function main(): Promise<number> {
  new Command('start-worker')
    .description(
      'Takes video messages from SQS and analyses them until it is told to stop. Configured by the environment.',
    )
    .version(VERSION)
    .parse();
  const config: DaemonConfig = loadConfig(process.env, { needs: ['queue', 'database', 'models'] });
  const logger = createLogger({ level: config.log.level, format: config.log.format, name: 'video-worker' });
  // From here on: an error that nothing catches while the models load must not look like a wrong configuration either.
  using crashPath = watchCrashes(process, logger, (code) => process.exit(code));
  const s3 = createS3(config);
  const sqs = createSqs(config);
  const preflight = await runPreflight(
    config,
    preflightDeps(config, { sqs, s3 }),
    AbortSignal.timeout(PREFLIGHT_TIMEOUT_MS),
  );
  process.stderr.write(renderPreflight(preflight));
  if (!preflight.ok) {
    sqs.destroy();
    s3.destroy();
    return EXIT_CODES.PREFLIGHT;
  }
  try {
    return await serve(config, preflight.device, logger, { s3, sqs, crashPath });
  } finally {
    sqs.destroy();
    s3.destroy();
  }
}

async function serve(
  config: DaemonConfig,
  device: 'cpu' | 'cuda',
  logger: Logger,
  hands: {
    readonly s3: ReturnType<typeof createS3>;
    readonly sqs: ReturnType<typeof createSqs>;
    readonly crashPath: CrashPath;
  },
): Promise<number> {
  const tools = await locateFfmpeg(config.ffmpeg);
  const removed = await removeStaleWorkspaces(config.worker.workDir);
  if (removed > 0) logger.info({ removed }, 'workspaces of a worker that is gone were removed');
  const database = await openConfiguredDatabase(config);
  const describer = createDescriber(config);
  try {
    if (config.database.migrateOnStart) {
      const applied = await migrateDatabase(database, AbortSignal.timeout(PREFLIGHT_TIMEOUT_MS));
      if (applied.length > 0) logger.info({ applied }, 'database migrated');
    }
    const chain = await openChain(config, device, logger, { isVerified: true });
    try {
      const settings = await processorSettings(config);
      const events = new WorkerEventBus(logger);
      const stageSeconds = stageSecondsOf(chain);
      const onAnalysed = ({ sampling }: VideoAnalysis): void => {
        void stageSeconds().then(
          (spent) => events.emit('video:analysed', { frames: sampling.frames, stageSeconds: spent }),
          // A thread that died is told by the job that it fails.
          () => events.emit('video:analysed', { frames: sampling.frames, stageSeconds: {} }),
        );
      };
      const report = await runDaemon({
        config,
        logger,
        sqs: hands.sqs,
        crashPath: hands.crashPath,
        events,
        processJob: createVideoProcessor(
          { database, s3: hands.s3, tools, chain, describer, logger, onAnalysed },
          settings,
        ),
        onRejectedMessage: (messageId, failure) =>
          recordRejection(database, { messageId, failure }, AbortSignal.timeout(5_000)),
      });
      return exitCodeOf(report);
    } finally {
      await chain.close();
    }
  } finally {
    describer?.close();
    await database.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = explain(error);
}
// Nothing that a library left open may keep a drained daemon alive.
setTimeout(() => process.exit(), 2_000).unref();
