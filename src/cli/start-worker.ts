import './no-telemetry.ts';
import { Command } from 'commander';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import type { ModelChain } from '../chain/model-chain.ts';
import { recordRejection } from '../persistence/record-rejection.ts';
import { createLogger } from '../telemetry/logger.ts';
import { removeStaleWorkspaces } from '../storage/workspace.ts';
import { WorkerEventBus } from '../worker/events.ts';
import { EXIT_CODES, exitCodeOf } from '../worker/exit-codes.ts';
import { createVideoProcessor } from '../job/process-video.ts';
import { commandConfig } from './command-config.ts';
import { watchCrashes } from './crash-path.ts';
import { explain } from './explain.ts';
import { processorSettings } from './job-settings.ts';
import { openClients, openParts } from './open-parts.ts';
import { openQueues } from './open-queues.ts';
import { preflightDeps } from './preflight/real-deps.ts';
import { renderPreflight } from './preflight/render.ts';
import { runPreflight } from './preflight/run-preflight.ts';
import { runDaemon } from './run-daemon.ts';
import { VERSION } from './version.ts';
import { stageSecondsOf } from './worker-health.ts';

const PREFLIGHT_TIMEOUT_MS = 60_000;

async function main(): Promise<number> {
  new Command('start-worker')
    .description(
      'Takes video messages from SQS and analyses them until it is told to stop. Configured by the environment.',
    )
    .version(VERSION)
    .parse();
  const config = commandConfig(['queue', 'database', 'models']);
  const logger = createLogger({ level: config.log.level, format: config.log.format, name: 'video-worker' });
  // From here on: an error that nothing catches while the models load must not look like a wrong configuration either.
  using crashPath = watchCrashes(process, logger, (code) => process.exit(code));
  using clients = openClients(config);
  const preflight = await runPreflight(
    config,
    preflightDeps(config, clients),
    AbortSignal.timeout(PREFLIGHT_TIMEOUT_MS),
  );
  process.stderr.write(renderPreflight(preflight));
  if (!preflight.ok) return EXIT_CODES.PREFLIGHT;
  const removed = await removeStaleWorkspaces(config.worker.workDir);
  if (removed > 0) logger.info({ removed }, 'workspaces of a worker that is gone were removed');
  await using parts = await openParts(config, { device: preflight.device, logger, isVerified: true });
  const { database, tools, chain, describer } = parts;
  await using opened = await openQueues(config, clients.sqs, logger);
  const events = new WorkerEventBus(logger);
  const report = await runDaemon({
    config,
    logger,
    queues: opened.queues,
    crashPath,
    events,
    processJob: createVideoProcessor(
      { database, s3: clients.s3, tools, chain, describer, logger, onAnalysed: tellAnalysed(events, chain) },
      await processorSettings(config),
    ),
    onRejectedMessage: ({ messageId }, failure) =>
      recordRejection(database, { messageId, failure }, AbortSignal.timeout(5_000)),
  });
  return exitCodeOf(report);
}

function tellAnalysed(events: WorkerEventBus, chain: ModelChain): (analysis: VideoAnalysis) => void {
  const stageSeconds = stageSecondsOf(chain);
  return ({ sampling: { frames } }) => {
    void stageSeconds().then(
      (spent) => events.emit('video:analysed', { frames, stageSeconds: spent }),
      // A thread that died is told by the job that it fails.
      () => events.emit('video:analysed', { frames, stageSeconds: {} }),
    );
  };
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = explain(error);
}
// Nothing that a library left open may keep a drained daemon alive.
setTimeout(() => process.exit(), 2_000).unref();
