import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocalStack, type LocalStack } from '../../src/local/stack.ts';
import { openDatabase } from '../../src/persistence/client.ts';
import { findVideo } from '../../src/persistence/read/videos.ts';
import { enqueueVideo } from '../../src/queue/sqs/enqueue.ts';
import { createSqsClients } from '../../src/queue/sqs/sqs-client.ts';
import { uploadVideo } from '../../src/storage/upload-video.ts';
import { DaemonProcess } from '../harness/daemon-process.ts';
import { localS3, TEST_CREDENTIALS } from '../harness/local-aws.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { watchMemory } from './process-cost.ts';

interface AtOnceOptions {
  readonly pack: string;
  readonly video: string;
  readonly count: number;
  readonly framesPerSecond: number;
  /** Folder of the project whose built daemon runs; this one when absent. */
  readonly project?: string | undefined;
}

interface AtOnce {
  /** Of the daemon's own process, from its start on. */
  readonly peakMiB: number;
  readonly treePeakMiB: number;
  readonly wallSeconds: number;
}

const ROOT = resolve(import.meta.dirname, '../..');
const LOOK_MS = 200;
const LIMIT_MS = 1_200_000;

/** The built daemon on a queue, a store and a database of this machine, with so many videos at work at once, until all are stored. */
export async function videosAtOnce(options: AtOnceOptions): Promise<AtOnce> {
  const { pack, video, count, framesPerSecond, project = ROOT } = options;
  const signal = AbortSignal.timeout(LIMIT_MS);
  await using folder = await temporaryFolder('bench-at-once');
  await using stack = await startLocalStack({ dataDir: 'memory', port: 0 });
  const env = {
    ...stack.env,
    DEVICE: 'cpu',
    SCENE: 'off',
    MODEL_PACK: pack,
    WORK_DIR: folder.path,
    SAMPLE_FPS: String(framesPerSecond),
    CONCURRENCY: String(count),
    SQS_WAIT_SECONDS: '1',
  };
  const ids = Array.from({ length: count }, (_, i) => `at-once-${i}`);
  await enqueue(stack, video, ids, signal);
  await using daemon = new DaemonProcess({ entry: resolve(project, 'scripts/start-worker'), env });
  const started = performance.now();
  const memory = watchMemory(daemon.pid ?? 0);
  await Promise.race([
    untilStored(stack.databaseUrl, ids, signal),
    daemon.ended.then((end) => Promise.reject(new Error(`the daemon ended with ${end}:\n${daemon.words}`))),
  ]);
  const wallSeconds = (performance.now() - started) / 1000;
  const peaks = await memory.stop();
  await daemon.stop('SIGTERM');
  return { ...peaks, wallSeconds };
}

/** Puts the video under the ids, and asks for each. */
export async function enqueue(
  stack: LocalStack,
  video: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { endpoint, region, queueUrl, uploadsBucket: bucket } = stack;
  using clients = createSqsClients({ region, endpoint, credentials: TEST_CREDENTIALS });
  const s3 = localS3({ endpoint });
  try {
    for (const videoId of ids) {
      const target = { bucket, key: `videos/${videoId}.mp4` };
      await uploadVideo(s3, { ...target, contentType: 'video/mp4' }, video, signal);
      await enqueueVideo(clients.control, { queueUrl, ...target, videoId }, signal);
    }
  } finally {
    s3.destroy();
  }
}

/** Resolves when the analysis of each is stored; rejects where one failed. */
export async function untilStored(url: string, ids: readonly string[], signal: AbortSignal): Promise<void> {
  await using database = await openDatabase({ url, schema: 'video_worker', poolSize: 1 });
  for (const id of ids) {
    for (;;) {
      // There are no tables before the daemon has made them.
      const video = await findVideo(database, id, signal).catch(() => null);
      if (video?.status === 'failed') throw new Error(`${id} failed: ${video.failureCode}`);
      if (video?.status === 'completed') break;
      await sleep(LOOK_MS, undefined, { signal });
    }
  }
}
