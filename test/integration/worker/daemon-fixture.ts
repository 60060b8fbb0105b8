import { SQSClient } from '@aws-sdk/client-sqs';
import { watchCrashes } from '../../../src/cli/crash-path.ts';
import { openQueues } from '../../../src/cli/open-queues.ts';
import { runDaemon } from '../../../src/cli/run-daemon.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { Failure, Interruption } from '../../../src/failure/failure.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import type { ProcessJob } from '../../../src/worker/delivery.ts';
import { WorkerEventBus } from '../../../src/worker/events.ts';
import { exitCodeOf } from '../../../src/worker/exit-codes.ts';

/** The daemon as a process, with jobs that do what their object's key says instead of analysing a video. */
const processJob: ProcessJob = async ({ job }, signal) => {
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const crash = (): never => {
    throw new Error(`crash by ${job.key}`);
  };
  switch (job.key) {
    case 'gpu':
      return { kind: 'halt', failure: new Failure('GPU_LOST', 'the fixture lost it') };
    case 'uncaught':
      setImmediate(crash);
      // A second one right behind it must not cut the giving back short.
      setImmediate(crash);
      break;
    case 'unhandled':
      void Promise.reject(new Error('crash by unhandled'));
      break;
    case 'wait':
      break;
    default:
      return { kind: 'ack', outcome: 'completed' };
  }
  await aborted;
  const reason: unknown = signal.reason;
  return { kind: 'abandon', why: reason instanceof Interruption ? reason.kind : 'shutdown' };
};

const config = loadConfig(process.env, { needs: ['queue'] });
const logger = createLogger({ level: 'info', format: 'json', name: 'fixture' });
using crashPath = watchCrashes(process, logger, (code) => process.exit(code));
const sqs = new SQSClient({ region: config.aws.region, endpoint: config.aws.endpointUrl ?? '' });
try {
  const events = new WorkerEventBus(logger);
  const onRejectedMessage = async (): Promise<void> => {};
  await using opened = await openQueues(config, sqs, logger);
  const { queues } = opened;
  const report = await runDaemon({ config, logger, queues, processJob, onRejectedMessage, crashPath, events });
  process.exitCode = exitCodeOf(report);
} finally {
  sqs.destroy();
}
