import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { FailureCode } from '../../src/failure/codes.ts';
import { makeSound } from '../harness/media.ts';
import { LONG, type Clip } from './clips.ts';
import type { Fault } from './fault-plan.ts';
import { namesContent, sendInForm, type MessageForm } from './message-forms.ts';
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
/** Among the good videos, so many in a thousand are long ones; the second job is one in any case. */
const LONG_PER_MILLE = 50;

export interface BadMessage extends BadEnd {
  readonly messageId: string;
  /** Null when the message names no object that can be read. */
  readonly key: string | null;
}

/** What a key held, in the order of the uploads. Only the newest content must be analysed: the ones before it may be gone too soon. */
export interface Content {
  readonly clip: string;
  readonly etag: string;
}

/** An id that a message gave a video. */
export interface GivenId {
  readonly key: string;
  /** Number of the content that was there when the newest message with this id was sent: the id means it or a newer one. */
  readonly content: number;
}

/** What was sent so far and what must become of it. */
export interface Workload {
  /** Videos that must be analysed, once for each content. */
  readonly good: ReadonlyMap<string, readonly Content[]>;
  /** Messages that must be in the dead-letter queue, by message id. */
  readonly bad: ReadonlyMap<string, BadMessage>;
  /** Every id that a message about a good video gave. */
  readonly ids: ReadonlyMap<string, GivenId>;
  readonly unsent: number;
  sendNext(): Promise<void>;
  /** Sends another message about a video that has one already: one of `busy`, where some are at work. */
  duplicate(fault: Extract<Fault, { kind: 'duplicate' }>, busy: readonly string[]): Promise<void>;
  /** Puts other content under the key of a video, and sends a message about it. */
  uploadAgain(fault: Extract<Fault, { kind: 're-upload' }>, busy: readonly string[]): Promise<void>;
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

/** Decides on videos with bad messages between them, about one in seven; each is uploaded when its message is sent. */
export async function planWorkload(target: WorkloadTarget, jobs: number, random: () => number): Promise<Workload> {
  const contents: Partial<Record<BadKind, Uint8Array>> = {
    empty: new Uint8Array(),
    text: Buffer.from('this is a text and no video\n'.repeat(50)),
    audio: await makeAudio(target.directory),
  };
  return new Sender(
    target,
    contents,
    Array.from({ length: jobs }, (_, index) => planJob(index, target.clips, random)),
  );
}

class Sender implements Workload {
  readonly good = new Map<string, Content[]>();
  readonly bad = new Map<string, BadMessage>();
  readonly ids = new Map<string, GivenId>();
  readonly #target: WorkloadTarget;
  readonly #badContents: Readonly<Partial<Record<BadKind, Uint8Array>>>;
  readonly #planned: PlannedJob[];

  constructor(
    target: WorkloadTarget,
    badContents: Readonly<Partial<Record<BadKind, Uint8Array>>>,
    planned: PlannedJob[],
  ) {
    this.#target = target;
    this.#badContents = badContents;
    this.#planned = planned;
  }

  get unsent(): number {
    return this.#planned.length;
  }

  async sendNext(): Promise<void> {
    const job = this.#planned.shift();
    if (job === undefined) return;
    const { key, kind, clip } = job;
    if (kind === 'good') {
      this.good.set(key, [{ clip: clip.name, etag: await this.#put(key, clip.bytes) }]);
      await this.#tell(key, 'backend', key);
      return;
    }
    const content = this.#badContents[kind];
    if (content !== undefined) await this.#put(key, content);
    const isReadable = kind !== 'bad-json';
    const messageId = isReadable
      ? await this.#send(key, 'backend', { etag: '', size: 0, videoId: key })
      : await sendBody(this.#target, `{"key": ${key}`);
    this.bad.set(messageId, { messageId, key: isReadable ? key : null, ...BAD_ENDS[kind] });
  }

  async duplicate(
    { choice, form, hasOtherId }: Extract<Fault, { kind: 'duplicate' }>,
    busy: readonly string[],
  ): Promise<void> {
    const key = this.#choose(choice, busy);
    if (key !== null) await this.#tell(key, form, hasOtherId ? `${key}-other-${this.ids.size}` : key);
  }

  async uploadAgain({ choice, form }: Extract<Fault, { kind: 're-upload' }>, busy: readonly string[]): Promise<void> {
    const key = this.#choose(choice, busy);
    const contents = key === null ? undefined : this.good.get(key);
    if (key === null || contents === undefined) return;
    // Content that was there before would be the same video, which is analysed already.
    const others = this.#target.clips.filter(
      ({ name }) => name !== LONG && !contents.some(({ clip }) => clip === name),
    );
    const clip = others[Math.floor(choice * others.length)];
    if (clip === undefined) return;
    contents.push({ clip: clip.name, etag: await this.#put(key, clip.bytes) });
    await this.#tell(key, form, key);
  }

  #choose(choice: number, busy: readonly string[]): string | null {
    const atWork = busy.filter((key) => this.good.has(key));
    const keys = atWork.length > 0 ? atWork : [...this.good.keys()];
    return keys[Math.floor(choice * keys.length)] ?? null;
  }

  async #tell(key: string, form: MessageForm, videoId: string): Promise<void> {
    const contents = this.good.get(key) ?? [];
    const content = contents.length - 1;
    const { etag = '', clip } = contents[content] ?? {};
    const size = this.#target.clips.find(({ name }) => name === clip)?.bytes.length ?? 0;
    await this.#send(key, form, { etag, size, videoId });
    if (!namesContent(form)) this.ids.set(videoId, { key, content });
  }

  async #send(
    key: string,
    form: MessageForm,
    upload: { readonly etag: string; readonly size: number; readonly videoId: string },
  ): Promise<string> {
    const { sqs, queueUrl, bucket } = this.#target;
    return await sendInForm(sqs, queueUrl, form, { bucket, key, ...upload });
  }

  /** Answers with the content's ETag, without quotes. */
  async #put(key: string, body: Uint8Array): Promise<string> {
    const { s3, bucket } = this.#target;
    const { ETag = '' } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    return ETag.replaceAll('"', '');
  }
}

function planJob(index: number, clips: readonly Clip[], random: () => number): PlannedJob {
  const kind = index <= 1 ? 'good' : pickKind(random);
  const short = clips.filter(({ name }) => name !== LONG);
  const isLong = Math.floor(random() * 1_000) < LONG_PER_MILLE || index === 1;
  const clip = isLong ? clips.find(({ name }) => name === LONG) : short[Math.floor(random() * short.length)];
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

async function sendBody({ sqs, queueUrl }: WorkloadTarget, body: string): Promise<string> {
  const answer = await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  return answer.MessageId ?? '';
}
