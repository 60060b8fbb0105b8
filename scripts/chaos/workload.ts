import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { enqueueVideo } from '../../src/local/enqueue.ts';
import { pick } from './random.ts';

const run = promisify(execFile);

type Kind = 'good' | 'missing' | 'not-a-video' | 'bad-json';

/** The failure code with which each kind of bad message must end. */
const CODES = { missing: 'OBJECT_NOT_FOUND', 'not-a-video': 'NOT_A_VIDEO', 'bad-json': 'MESSAGE_NOT_JSON' } as const;

export interface Workload {
  /** Keys of the videos that must be analysed exactly once. */
  readonly good: readonly string[];
  /** Messages that must be in the dead-letter queue: the failure's code by message id. */
  readonly bad: ReadonlyMap<string, string>;
  /** Sends a second message about a video that has one already. */
  duplicate(random: () => number): Promise<void>;
}

export interface WorkloadTarget {
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly queueUrl: string;
  readonly bucket: string;
  /** Folder for the clips. */
  readonly directory: string;
}

/** Uploads short clips and sends a message for each, with bad messages between them: about one in ten. */
export async function sendWorkload(target: WorkloadTarget, jobs: number, random: () => number): Promise<Workload> {
  const { sqs, queueUrl, bucket } = target;
  const clips = await Promise.all([1, 2, 3].map((seconds) => makeClip(target.directory, seconds)));
  const good: string[] = [];
  const bad = new Map<string, string>();
  const enqueue = (key: string): Promise<string> =>
    enqueueVideo(sqs, { queueUrl, bucket, key, videoId: key }, AbortSignal.timeout(10_000));
  for (let index = 0; index < jobs; index++) {
    const kind =
      index === 0
        ? 'good'
        : pick<Kind>(random, [
            ['good', 27],
            ['missing', 1],
            ['not-a-video', 1],
            ['bad-json', 1],
          ]);
    const key = `${kind}-${index}.mp4`;
    if (kind === 'good') {
      await put(target, key, clips[Math.floor(random() * clips.length)] ?? Buffer.alloc(0));
      await enqueue(key);
      good.push(key);
      continue;
    }
    if (kind === 'not-a-video') await put(target, key, Buffer.from('this is a text and no video\n'.repeat(50)));
    const id = kind === 'bad-json' ? await sendBody(target, `{"s3": ${index}`) : await enqueue(key);
    bad.set(id, CODES[kind]);
  }
  return {
    good,
    bad,
    duplicate: async (random) => {
      await enqueue(good[Math.floor(random() * good.length)] ?? '');
    },
  };
}

async function makeClip(directory: string, seconds: number): Promise<Buffer> {
  const file = join(directory, `clip-${seconds}.mp4`);
  const source = ['-f', 'lavfi', '-i', `testsrc=s=320x180:r=10:d=${seconds}`];
  await run('ffmpeg', ['-v', 'error', '-y', ...source, '-pix_fmt', 'yuv420p', file]);
  return await readFile(file);
}

async function put({ s3, bucket }: WorkloadTarget, key: string, body: Buffer): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
}

async function sendBody({ sqs, queueUrl }: WorkloadTarget, body: string): Promise<string> {
  const answer = await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  return answer.MessageId ?? '';
}
