import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import type { ModelChain } from '../chain/model-chain.ts';
import type { Config } from '../config/config.ts';
import { environment } from '../config/environment.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { createSystemdNotifier } from '../telemetry/systemd-notify.ts';
import { openWorkFolder } from '../storage/work-folder.ts';
import { removeStaleMeetings } from '../video/tools/stale-meetings.ts';
import { WorkerEventBus } from '../worker/events.ts';
import { EXIT_CODES, exitCodeOf } from '../worker/exit-codes.ts';
import { createVideoProcessor } from '../job/process-video.ts';
import { startSweep } from '../job/run-sweep.ts';
import { discardUnseenRows } from '../persistence/discard-rows.ts';
import { tellLeftBehind } from './clear-up.ts';
import { commandConfig } from './command-config.ts';
import { watchCrashes, type CrashPath } from './crash-path.ts';
import { processorSettings, readZones } from './job-settings.ts';
import { openClients } from './open-clients.ts';
import { openParts } from './open-parts.ts';
import { openQueues } from './open-queues.ts';
import { passPreflight } from './pass-preflight.ts';
import { openHealth } from './process-health.ts';
import { preflightDeps } from './preflight/real-deps.ts';
import { workPlaceOf } from './preflight/work-place.ts';
import { recordRejectedMessage } from './record-rejected-message.ts';
import { runDaemon } from './run-daemon.ts';
import { watchStart, type StartSignals } from './start-signals.ts';
import { StartWait } from './start-wait.ts';
import { stageSecondsOf, tellDegraded } from './worker-health.ts';
import { complain } from './terminal.ts';

/** Runs the daemon from its configuration to its end; answers with the exit code. */
export async function startDaemon(): Promise<number> {
  const config = commandConfig(['queue', 'database', 'models', 'health']);
  const logger = createLogger({ level: config.log.level, format: config.log.format, name: 'video-worker' });
  // From here on: an error that nothing catches while the models load must not look like a wrong configuration either.
  using crashPath = watchCrashes(process, logger, (code) => process.exit(code));
  using starting = watchStart(process, logger, (code) => process.exit(code));
  try {
    return await run({ config, logger, crashPath, starting });
  } catch (error) {
    // Nothing was received yet: whatever fell over while the start was given up has lost nothing.
    if (starting.signal.aborted) return EXIT_CODES.CLEAN;
    throw error;
  }
}

interface Start {
  readonly config: Config<'queue' | 'database' | 'models'>;
  readonly logger: Logger;
  readonly crashPath: CrashPath;
  readonly starting: StartSignals;
}

async function run({ config, logger, crashPath, starting }: Start): Promise<number> {
  const { signal } = starting;
  const zones = await readZones(config);
  using clients = openClients(config);
  await using health = await openHealth(config.health, logger);
  tellHealth(config.health, logger);
  using notifier = createSystemdNotifier({ env: environment(), logger });
  const wait = new StartWait({ limitMs: config.worker.startWaitSeconds * 1_000, logger, notifier, signal });
  wait.begins('checking the host and its services');
  await using workFolder = openWorkFolder(config.worker);
  const place = workPlaceOf(workFolder, tellLeftBehind(logger, workFolder.root));
  const deps = preflightDeps(config, clients, place);
  const preflight = await passPreflight(config, deps, wait, complain, signal);
  if (!preflight.ok) return EXIT_CODES.PREFLIGHT;
  await clearMeetings(logger);
  const { device, decoderGpu } = preflight;
  wait.begins('opening the database, loading the models');
  const options = { device, videosAtOnce: config.worker.concurrency, logger, isVerified: true, signal };
  await using parts = await wait.through('the database', () => openParts(config, options));
  const { database, tools, chain, describer, plan } = parts;
  wait.begins('looking at the queue');
  await using opened = await wait.through('the queue', () => openQueues(config, clients.sqs, logger, signal));
  await using _sweep = startSweep({
    database,
    logger,
    ...sweepSettings(config),
    tidy: (stop) => discardUnseenRows(database, null, stop),
  });
  const events = new WorkerEventBus(logger);
  const report = await runDaemon({
    config,
    logger,
    queues: opened.queues,
    crashPath,
    starting,
    health,
    events,
    isSandboxed: (tools.sandbox?.inForce ?? null) !== null,
    processJob: createVideoProcessor(
      {
        database,
        s3: clients.s3,
        tools,
        chain,
        describer,
        logger,
        workFolder,
        onAnalysed: tellAnalysed(events, chain),
        onStored: (analysis) => tellDegraded(events, analysis),
      },
      processorSettings(config, plan, { zones, decoderGpu, device, videosAtOnce: config.worker.concurrency }),
    ),
    onRejectedMessage: (message, failure) =>
      recordRejectedMessage(database, message, { failure, worker: config.worker.id }, AbortSignal.timeout(5_000)),
  });
  return exitCodeOf(report);
}

function tellHealth({ host, port, token }: Config['health'], logger: Logger): void {
  if (port !== 0) logger.info({ host, port, needsToken: token !== null }, 'the health endpoints are open');
}

function sweepSettings({
  worker,
  queue,
}: Config<'queue'>): Omit<Parameters<typeof startSweep>[0], 'database' | 'logger' | 'tidy'> {
  return {
    worker: worker.id,
    graceSeconds: queue.visibilityTimeoutSeconds,
    pendingSeconds: worker.pendingLimitSeconds,
    intervalMs: worker.sweepSeconds * 1_000,
    listenMs: worker.runAliveSeconds * 1_000,
  };
}

async function clearMeetings(logger: Logger): Promise<void> {
  const removed = await removeStaleMeetings();
  if (removed > 0) logger.info({ removed }, 'folders of sockets that a killed process left were removed');
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
