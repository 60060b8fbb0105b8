import { PutObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { SqsProcess } from '../harness/sqs-process.ts';

export interface WorkloadOptions {
  readonly queueUrl: string;
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
export async function sendWorkload(
  { clients, store }: SqsProcess,
  options: WorkloadOptions,
  video: Buffer,
): Promise<void> {
  for (let first = 0; first < options.jobs; first += 10) {
    const bodies: string[] = [];
    for (let number = first; number < first + 10; number += 1) {
      const { body, key } = message(number, options.onlyVideos);
      bodies.push(body);
      if (key !== null) await store.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: video }));
    }
    await clients.control.send(
      new SendMessageBatchCommand({
        QueueUrl: options.queueUrl,
        Entries: bodies.map((body, index) => ({ Id: String(index), MessageBody: body })),
      }),
    );
  }
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
