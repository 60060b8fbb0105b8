import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { Failure } from '../../failure/failure.ts';
import { enqueueVideo } from '../../queue/sqs/enqueue.ts';
import { uploadVideo } from '../../storage/upload-video.ts';
import { commandConfig } from '../command-config.ts';
import { openClients } from '../open-clients.ts';
import { parseS3Url } from '../s3-url.ts';
import { sayJson } from '../terminal.ts';

interface EnqueueOptions {
  readonly videoId?: string;
  readonly bucket?: string;
  readonly priority: string;
}

/** `enqueue`: tells as JSON what was sent. */
export async function enqueue(source: string, options: EnqueueOptions): Promise<void> {
  const config = commandConfig(['queue']);
  const { priority } = options;
  if (priority !== 'high' && priority !== 'normal' && priority !== 'low') {
    throw new Failure('CONFIG_INVALID', `--priority is "${priority}": it must be high, normal or low`);
  }
  const videoId = options.videoId ?? randomUUID();
  using clients = openClients(config);
  const signal = AbortSignal.timeout(3_600_000);
  let object = parseS3Url(source);
  if (object === null) {
    const bucket = options.bucket ?? config.object.bucket ?? 'video-uploads';
    object = { bucket, key: `videos/${videoId}/${basename(source)}` };
    await uploadVideo(clients.s3, { ...object, contentType: 'video/mp4' }, source, signal);
  }
  const byPriority = { high: config.queue.urlHigh, normal: null, low: config.queue.urlLow };
  const queueUrl = byPriority[priority] ?? config.queue.url;
  const messageId = await enqueueVideo(clients.sqs, { queueUrl, ...object, videoId, priority }, signal);
  sayJson({ videoId, ...object, messageId });
}
