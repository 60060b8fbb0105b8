import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Interruption } from '../../failure/failure.ts';
import type { Job } from '../../queue/messages/job.ts';
import { parseMessage } from '../../queue/messages/parse-message.ts';
import { createLogger } from '../../telemetry/logger.ts';
import type { Disposition } from '../../failure/disposition.ts';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { createVideoProcessor } from '../../job/process-video.ts';
import { afterRunning } from '../../time/after-running.ts';
import { systemClock } from '../../time/clock.ts';
import { tellLeftBehind } from '../clear-up.ts';
import { commandConfig } from '../command-config.ts';
import { processorSettings, readZones } from '../job-settings.ts';
import { openClients } from '../open-clients.ts';
import { openParts } from '../open-parts.ts';
import { openWorkFolder } from '../../storage/work-folder.ts';
import { preflightDeps } from '../preflight/real-deps.ts';
import { preflightLines } from '../preflight/render.ts';
import { runPreflight } from '../preflight/run-preflight.ts';
import { workPlaceOf } from '../preflight/work-place.ts';
import { complain } from '../terminal.ts';

/** Each check of the preflight has a limit of its own. */
const NEVER = new AbortController().signal;
const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** `once`: the exit code tells what became of the worst of the objects. */
export async function once(options: { readonly message?: string }): Promise<void> {
  const jobs = await jobsOf(options.message);
  const config = commandConfig(['database', 'models']);
  const logger = createLogger({ level: config.log.level, format: config.log.format, name: 'video-worker' });
  const zones = await readZones(config);
  using clients = openClients(config);
  await using workFolder = openWorkFolder(config.worker);
  const place = workPlaceOf(workFolder, tellLeftBehind(logger, workFolder.root));
  const preflight = await runPreflight(config, preflightDeps(config, clients, place), NEVER);
  complain(...preflightLines(preflight));
  if (!preflight.ok) {
    process.exitCode = EXIT_CODES.PREFLIGHT;
    return;
  }
  const { device, decoderGpu } = preflight;
  using limits = watchLimits(config.worker.maxProcessingSeconds);
  await using parts = await openParts(config, {
    device,
    videosAtOnce: 1,
    logger,
    isVerified: true,
  });
  const { database, tools, chain, describer, plan } = parts;
  const processJob = createVideoProcessor(
    { database, s3: clients.s3, tools, chain, describer, logger, workFolder },
    processorSettings(config, plan, { zones, decoderGpu, device, videosAtOnce: 1 }),
  );
  const dispositions: Disposition[] = [];
  for (const job of jobs) {
    const id = randomUUID();
    const delivery = {
      job,
      messageId: id,
      correlationId: id,
      receiveCount: 1,
      isLastReceive: false,
      confirmLease: async () => {},
    };
    dispositions.push(await processJob(delivery, limits.signal));
  }
  process.exitCode = Math.max(0, ...dispositions.map(exitCode));
}

/** Interrupts the jobs on a signal to this process, or when their time is over. */
function watchLimits(seconds: number): Disposable & { readonly signal: AbortSignal } {
  const stop = new AbortController();
  const deadline = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => stop.abort(new Interruption('shutdown', `stopped by ${name}`));
  for (const name of STOP_SIGNALS) process.once(name, onSignal);
  const timer = afterRunning(systemClock, seconds * 1_000, () => {
    deadline.abort(new Interruption('deadline', `the job ran longer than ${seconds} s`));
  });
  return {
    signal: AbortSignal.any([stop.signal, deadline.signal]),
    [Symbol.dispose]() {
      timer.cancel();
      for (const name of STOP_SIGNALS) process.off(name, onSignal);
    },
  };
}

function exitCode(disposition: Disposition): number {
  switch (disposition.kind) {
    case 'ack':
      return EXIT_CODES.CLEAN;
    case 'halt':
      return EXIT_CODES.SYSTEM_FAILURE;
    case 'abandon':
    case 'wait':
      return EXIT_CODES.GIVEN_BACK;
    case 'reject':
    case 'retry':
      return EXIT_CODES.FAILED;
  }
}

async function jobsOf(message: string | undefined): Promise<readonly Job[]> {
  if (message !== undefined) {
    const body = message === '-' ? await text(process.stdin) : await readFile(message, 'utf8');
    const parsed = parseMessage(body, {});
    return parsed.kind === 'jobs' ? parsed.jobs : [];
  }
  const { object } = commandConfig(['object']);
  return [
    {
      bucket: object.bucket,
      key: object.key,
      versionId: object.versionId,
      etag: null,
      videoId: object.videoId,
      priority: 'normal',
      source: 'command',
    },
  ];
}
