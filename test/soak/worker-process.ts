import { setTimeout as sleep } from 'node:timers/promises';
import { Lease } from '../../src/queue/lease.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { MessageRun } from '../../src/worker/message-run.ts';
import { FakeChain } from '../harness/fake-chain.ts';
import { createVideoWorker } from '../harness/video-worker.ts';
import { takeReading, type Reading } from './reading.ts';
import type { SoakAnswer, SoakSettings } from './soak-settings.ts';

const settings = JSON.parse(process.argv[2] ?? '') as SoakSettings;
const warnings: string[] = [];
process.on('warning', (warning) => {
  if (!/ExperimentalWarning/.test(warning.name)) warnings.push(`${warning.name}: ${warning.message}`);
});
const chain = new FakeChain(() => [{ box: [8, 8, 32, 48], action: 'walking' }]);
/** Lives as long as the process, as a daemon's own stop signal would. */
const root = new AbortController();

const rig = await createVideoWorker({
  ...settings,
  tools: settings.tools ?? { ffmpegPath: null, ffprobePath: null },
  concurrency: settings.slots,
  // A duplicate that comes too early must not stop a tenth for half a minute.
  settings: { maxRetryDelaySeconds: 1 },
  logger: createLogger({ level: 'error', format: 'json', name: 'soak' }),
  chain,
  wrap: (processJob) => async (delivery, signal) => {
    // The books of the scripted chain are for tests of one video.
    chain.calls.length = 0;
    chain.jpegs.length = 0;
    if (settings.leak) root.signal.addEventListener('abort', () => delivery.job);
    return await processJob(delivery, AbortSignal.any([signal, root.signal]));
  },
});
const { worker, events, clients } = rig;

const openPolls = new Set<object>();
clients.poll.middlewareStack.add(
  (next) => async (args) => {
    openPolls.add(args);
    try {
      return await next(args);
    } finally {
      openPolls.delete(args);
    }
  },
  { step: 'initialize' },
);

let completed = 0;
let deadLettered = 0;
events.on('message:dead-lettered', () => (deadLettered += 1));
let due = Promise.withResolvers<void>();
events.on('message:deleted', () => {
  completed += 1;
  if (completed % (settings.jobs / 10) === 0) {
    worker.pause();
    due.resolve();
  }
});

/** The readings that are judged; the others are for who reads the report. */
const COMPARED = [1, 9];
const readings: Reading[] = [];
worker.start();
while (readings.length < 10) {
  await due.promise;
  due = Promise.withResolvers<void>();
  // At rest: what the open poll still brings runs, then nothing is under way.
  while (openPolls.size > 0 || worker.busy > 0) await sleep(10);
  const compared = COMPARED.includes(readings.length);
  readings.push(
    await takeReading({
      emitters: { process, 'the database pool': rig.database.pool },
      signals: { 'the root signal': root.signal },
      classes: compared ? { Lease, MessageRun, AbortController } : {},
      compared,
    }),
  );
  worker.resume();
}
await worker.drain('the soak is over', 10_000);
const answer: SoakAnswer = { readings, completed, deadLettered, warnings };
await rig[Symbol.asyncDispose]();
process.send?.(answer);
process.disconnect();
