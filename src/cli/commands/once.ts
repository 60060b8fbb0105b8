import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { Interruption } from '../../failure/failure.ts';
import { migrateDatabase } from '../../persistence/migrate.ts';
import type { Job } from '../../queue/messages/job.ts';
import { parseMessage } from '../../queue/messages/parse-message.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { locateFfmpeg } from '../../video/ffmpeg-binary.ts';
import type { Disposition } from '../../failure/disposition.ts';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { createVideoProcessor } from '../../job/process-video.ts';
import {
  createDescriber,
  createS3,
  createSqs,
  openChain,
  openConfiguredDatabase,
  processorSettings,
} from '../open-parts.ts';
import { configWith } from '../local-analysis.ts';
import { preflightDeps } from '../preflight/real-deps.ts';
import { renderPreflight } from '../preflight/render.ts';
import { runPreflight } from '../preflight/run-preflight.ts';

export function addOnce(program: Command): void {
  program
    .command('once')
    .description('analyse one object, named by S3_BUCKET, S3_KEY and VIDEO_ID or by a message body, then exit')
    .option('--message <file>', 'a message body in any of the known forms, - for standard input')
    .action(once);
}

async function once(options: { readonly message?: string }): Promise<void> {
  const jobs = await jobsOf(options.message);
  const config = configWith(['database', 'models']);
  const logger = createLogger({ level: config.log.level, format: config.log.format, name: 'video-worker' });
  const s3 = createS3(config);
  const sqs = createSqs(config);
  const preflight = await runPreflight(config, preflightDeps(config, { sqs, s3 }), AbortSignal.timeout(60_000));
  process.stderr.write(renderPreflight(preflight));
  if (!preflight.ok) {
    process.exitCode = EXIT_CODES.PREFLIGHT;
    return;
  }
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => stop.abort(new Interruption('shutdown', `stopped by ${signal}`)));
  }
  const limit = config.worker.maxProcessingSeconds;
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new Interruption('deadline', `the job ran longer than ${limit} s`)),
    limit * 1000,
  );
  const tools = await locateFfmpeg(config.ffmpeg);
  const database = await openConfiguredDatabase(config);
  const describer = createDescriber(config);
  try {
    if (config.database.migrateOnStart) await migrateDatabase(database, AbortSignal.timeout(60_000));
    const chain = await openChain(config, preflight.device, logger, { isVerified: true });
    try {
      const process_ = createVideoProcessor(
        { database, s3, tools, chain, describer, logger },
        await processorSettings(config),
      );
      const signal = AbortSignal.any([stop.signal, deadline.signal]);
      const dispositions: Disposition[] = [];
      for (const job of jobs) {
        const id = randomUUID();
        const delivery = { job, messageId: id, correlationId: id, receiveCount: 1, confirmLease: async () => {} };
        dispositions.push(await process_(delivery, signal));
      }
      process.exitCode = Math.max(0, ...dispositions.map(exitCode));
    } finally {
      await chain.close();
    }
  } finally {
    clearTimeout(timer);
    describer?.close();
    await database.close();
    s3.destroy();
    sqs.destroy();
  }
}

function exitCode(disposition: Disposition): number {
  switch (disposition.kind) {
    case 'ack':
      return EXIT_CODES.CLEAN;
    case 'halt':
      return EXIT_CODES.SYSTEM_FAILURE;
    case 'abandon':
    case 'defer':
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
  const { object } = configWith(['object']);
  return [
    {
      bucket: object.bucket,
      key: object.key,
      versionId: object.versionId,
      etag: null,
      sizeBytes: null,
      videoId: object.videoId,
      priority: 'normal',
      source: 'command',
      eventTime: null,
    },
  ];
}
