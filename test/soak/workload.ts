import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { createSqsClients } from '../../src/queue/sqs/sqs-client.ts';

export interface WorkloadOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly queueUrl: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly jobs: number;
  /** Every message is about a video of its own; otherwise three of ten are. */
  readonly onlyVideos: boolean;
}

const BUCKET = 'videos';
/** A duplicate is of a video that was sent so long ago that it has certainly been finished. */
const DUPLICATE_AGE = 60;

/**
 * Sends the messages of a soak. Of ten, three are about a new video, three about one that was analysed before, two about an
 * object that is not there, one is no JSON and one tells of a removal: what leaks on a failure's way leaks as well.
 */
export async function sendWorkload(options: WorkloadOptions, video: Buffer): Promise<void> {
  const { endpoint, region, credentials } = options;
  using clients = createSqsClients({ region, endpoint, credentials });
  const s3 = new S3Client({ region, endpoint, forcePathStyle: true, credentials });
  for (let first = 0; first < options.jobs; first += 10) {
    const bodies: string[] = [];
    for (let number = first; number < first + 10; number += 1) {
      const { body, key } = message(number, options.onlyVideos);
      bodies.push(body);
      if (key !== null) await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: video }));
    }
    await clients.control.send(
      new SendMessageBatchCommand({
        QueueUrl: options.queueUrl,
        Entries: bodies.map((body, index) => ({ Id: String(index), MessageBody: body })),
      }),
    );
  }
  s3.destroy();
}

function message(number: number, onlyVideos: boolean): { readonly body: string; readonly key: string | null } {
  const about = (key: string): string => JSON.stringify({ bucket: BUCKET, key });
  const key = `v/${number}.mp4`;
  const kind = onlyVideos ? 0 : number % 10;
  if (kind < 3 || (kind < 6 && number < DUPLICATE_AGE)) return { body: about(key), key };
  if (kind < 6) return { body: about(`v/${number - (number % 10) - DUPLICATE_AGE + (kind - 3)}.mp4`), key: null };
  if (kind < 8) return { body: about(`missing/${number}.mp4`), key: null };
  if (kind === 8) return { body: `{"number":${number}`, key: null };
  return {
    body: JSON.stringify({ Records: [{ eventName: 'ObjectRemoved:Delete', s3: { object: { key } } }] }),
    key: null,
  };
}
