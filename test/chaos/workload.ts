import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { FailureCode } from '../../src/failure/codes.ts';
import { enqueueVideo } from '../../src/queue/sqs/enqueue.ts';
import { makeSound } from '../harness/media.ts';
import type { Clip } from './clips.ts';
import { pick } from './random.ts';

type BadKind = 'missing' | 'empty' | 'text' | 'audio' | 'bad-json';

interface BadEnd {
  readonly code: FailureCode;
  /** Whether a run was claimed before the fault showed. */
  readonly hasRun: boolean;
}

/** How each kind of bad message must end. */
const BAD_ENDS: Readonly<Record<BadKind, BadEnd>> = {
  missing: { code: 'OBJECT_NOT_FOUND', hasRun: false },
  empty: { code: 'OBJECT_EMPTY', hasRun: false },
  text: { code: 'NOT_A_VIDEO', hasRun: true },
  audio: { code: 'NO_VIDEO_STREAM', hasRun: true },
  'bad-json': { code: 'MESSAGE_NOT_JSON', hasRun: false },
};

export interface BadMessage extends BadEnd {
  readonly messageId: string;
  /** Null when the message names no object that can be read. */
  readonly key: string | null;
}

/** What was sent so far and what must become of it. */
export interface Workload {
  /** Videos that must be analysed exactly once: the clip's name by key. */
  readonly good: ReadonlyMap<string, string>;
  /** Messages that must be in the dead-letter queue, by message id. */
  readonly bad: ReadonlyMap<string, BadMessage>;
  readonly unsent: number;
  sendNext(): Promise<void>;
  /** Sends a second message about a video that has one already; `choice` in [0, 1) picks it. */
  duplicate(choice: number): Promise<void>;
}

export interface WorkloadTarget {
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly queueUrl: string;
  readonly bucket: string;
  readonly directory: string;
  readonly clips: readonly Clip[];
}

interface PlannedJob {
  readonly key: string;
  readonly kind: 'good' | BadKind;
  readonly clip: Clip;
}

/** Decides on short videos with bad messages between them, about one in seven; each is uploaded when its message is sent. */
export async function planWorkload(target: WorkloadTarget, jobs: number, random: () => number): Promise<Workload> {
  const { sqs, queueUrl, bucket } = target;
  const contents: Partial<Record<BadKind, Uint8Array>> = {
    empty: new Uint8Array(),
    text: Buffer.from('this is a text and no video\n'.repeat(50)),
    audio: await makeAudio(target.directory),
  };
  const planned = Array.from({ length: jobs }, (_, index) => planJob(index, target.clips, random));
  const good = new Map<string, string>();
  const bad = new Map<string, BadMessage>();
  const enqueue = (key: string): Promise<string> =>
    enqueueVideo(sqs, { queueUrl, bucket, key, videoId: key }, AbortSignal.timeout(10_000));
  return {
    good,
    bad,
    get unsent() {
      return planned.length;
    },
    sendNext: async () => {
      const job = planned.shift();
      if (job === undefined) return;
      const { key, kind, clip } = job;
      if (kind === 'good') {
        await put(target, key, clip.bytes);
        await enqueue(key);
        good.set(key, clip.name);
        return;
      }
      const content = contents[kind];
      if (content !== undefined) await put(target, key, content);
      const isReadable = kind !== 'bad-json';
      const messageId = isReadable ? await enqueue(key) : await sendBody(target, `{"key": ${key}`);
      bad.set(messageId, { messageId, key: isReadable ? key : null, ...BAD_ENDS[kind] });
    },
    duplicate: async (choice) => {
      const keys = [...good.keys()];
      const key = keys[Math.floor(choice * keys.length)];
      if (key !== undefined) await enqueue(key);
    },
  };
}

function planJob(index: number, clips: readonly Clip[], random: () => number): PlannedJob {
  const kind = index === 0 ? 'good' : pickKind(random);
  const clip = clips[Math.floor(random() * clips.length)];
  if (clip === undefined) throw new RangeError('there are no clips');
  return { key: `${kind}-${index}.mp4`, kind, clip };
}

function pickKind(random: () => number): 'good' | BadKind {
  return pick<'good' | BadKind>(random, [
    ['good', 30],
    ['missing', 1],
    ['empty', 1],
    ['text', 1],
    ['audio', 1],
    ['bad-json', 1],
  ]);
}

async function makeAudio(directory: string): Promise<Buffer> {
  const file = join(directory, 'audio.mp4');
  await makeSound(file);
  return await readFile(file);
}

async function put({ s3, bucket }: WorkloadTarget, key: string, body: Uint8Array): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
}

async function sendBody({ sqs, queueUrl }: WorkloadTarget, body: string): Promise<string> {
  const answer = await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  return answer.MessageId ?? '';
}
