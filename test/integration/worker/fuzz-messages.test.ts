import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  SendMessageCommand,
  ReceiveMessageCommand,
  type Message,
  type MessageAttributeValue,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { seededRandom } from '../../chaos/random.ts';
import { FAILURE_CODES, type FailureCode } from '../../../src/failure/codes.ts';
import { atDepth } from '../../harness/depth.ts';
import { mutateMessage, validMessage } from '../../harness/message-mutations.ts';
import { childrenOf } from '../../harness/processes.ts';
import { startVideoGround, type VideoGround } from '../../harness/video-ground.ts';
import { createVideoWorker, type VideoWorker } from '../../harness/video-worker.ts';
import { filesInWorkDir } from '../../harness/work-folders.ts';
import { next } from '../../harness/worker-events.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_101);
const MESSAGES = atDepth(300, 1_000);
/** Of each message form, so many have an object that is really there. */
const OBJECTS = 16;
/** SQS counts the body, names, types and values of a message together. */
const MAX_MESSAGE_BYTES = 1_048_576;

let ground: VideoGround;
let rig: VideoWorker;
let url: string;
let deadUrl: string;
let workDir: string;

beforeAll(async () => {
  ground = await startVideoGround(1);
  const { sqs, postgres, folder, video } = ground;
  workDir = folder.at('outer', 'work');
  deadUrl = sqs.server.createQueue('dead').queueUrl;
  url = sqs.server.createQueue('videos').queueUrl;
  rig = await createVideoWorker({
    endpoint: sqs.endpoint,
    queueUrl: url,
    deadLetterUrl: deadUrl,
    databaseUrl: postgres.url,
    workDir,
    logger: pino({ level: 'silent' }),
    concurrency: 16,
  });
  await rig.s3.send(new CreateBucketCommand({ Bucket: 'uploads' }));
  for (let number = 0; number < OBJECTS; number += 1) {
    await rig.s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: `videos/${number}.mp4`, Body: video }));
  }
}, 60_000);
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

/** Sends damaged messages until SQS has taken so many: what the server refuses never reaches a worker. */
async function sendDamaged(): Promise<Map<string, string>> {
  const random = seededRandom(SEED);
  const sent = new Map<string, string>();
  for (let number = 0; sent.size < MESSAGES; number += 1) {
    const body = mutateMessage(validMessage(number, 'uploads'), random);
    const attributes = someAttributes(random);
    const answer = await rig.clients.control
      .send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, MessageAttributes: attributes }))
      .catch(() => null);
    if (answer?.MessageId !== undefined) sent.set(answer.MessageId, body);
    if (number > MESSAGES * 1.2) throw new Error('SQS refuses too many of the mutations for them to test the worker');
  }
  return sent;
}

function someAttributes(random: () => number): Record<string, MessageAttributeValue> {
  const attributes: Record<string, MessageAttributeValue> = {};
  for (let count = Math.floor(random() * 22) - 11; count > 0; count -= 1) {
    attributes[`a${count}`] =
      random() < 0.5
        ? { DataType: 'String', StringValue: 'é'.repeat(1 + Math.floor(random() * 200)) }
        : { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255, count]) };
    if (count === 3) attributes['video_id'] = { DataType: 'String', StringValue: "'; drop table video; --" };
    if (count === 4) attributes['failure_code'] = { DataType: 'String', StringValue: 'FORGED' };
  }
  return Object.fromEntries(Object.entries(attributes).slice(0, 10));
}

async function deadLetters(): Promise<Message[]> {
  const found: Message[] = [];
  for (;;) {
    const answer = await rig.clients.poll.send(
      new ReceiveMessageCommand({
        QueueUrl: deadUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
        VisibilityTimeout: 600,
      }),
    );
    if (answer.Messages === undefined || answer.Messages.length === 0) return found;
    found.push(...answer.Messages);
  }
}

test('damaged messages each end in a documented outcome, and the worker goes on', async () => {
  const sent = await sendDamaged();
  const { worker, events } = rig;
  const ends = new Map<string, string>();
  const codes = new Map<string, FailureCode>();
  const all = Promise.withResolvers<void>();
  const end = (id: string, how: string): void => {
    ends.set(id, how);
    if ([...sent.keys()].every((wanted) => ends.has(wanted))) all.resolve();
  };
  events.on('message:dead-lettered', ({ messageId, code }) => codes.set(messageId, code as FailureCode));
  events.on('message:deleted', ({ messageId }) =>
    end(messageId, codes.has(messageId) ? 'dead-lettered' : 'acknowledged'),
  );
  events.on('message:given-back', ({ messageId, why }) => end(messageId, `given back: ${why}`));
  worker.start();
  await all.promise;

  const howOften = Object.groupBy(ends.values(), (how) => how);
  expect(howOften['dead-lettered']?.length).toBeGreaterThan(MESSAGES / 2);
  expect(howOften['acknowledged']?.length).toBeGreaterThan(MESSAGES / 20);
  for (const code of codes.values()) expect(FAILURE_CODES[code].class).toBe('permanent');
  // What is given back is tried again: only for what may be different then.
  expect(
    Object.keys(howOften).filter((how) => !/^(dead-lettered|acknowledged|given back: another message)/.test(how)),
  ).toEqual([]);

  const copies = await deadLetters();
  expect(copies).toHaveLength(codes.size);
  for (const copy of copies) {
    const attributes = copy.MessageAttributes ?? {};
    const names = Object.keys(attributes);
    expect(names.length).toBeLessThanOrEqual(10);
    const code = attributes['failure_code']?.StringValue as FailureCode;
    expect(FAILURE_CODES[code].class).toBe(attributes['failure_class']?.StringValue);
    expect(attributes['failure_reason']?.StringValue).toMatch(/\S/);
    const id = originalId(attributes);
    expect(codes.get(id)).toBe(code);
    expect(copy.Body).toBe(sent.get(id));
    expect(Buffer.byteLength(JSON.stringify([copy.Body, attributes]))).toBeLessThan(MAX_MESSAGE_BYTES + 10_000);
  }

  // It still does its work, and leaves nothing behind.
  const done = next(events, 'message:deleted', ({ messageId }) => !sent.has(messageId));
  const good = JSON.stringify({ bucket: 'uploads', key: 'videos/0.mp4' });
  await rig.clients.control.send(new SendMessageCommand({ QueueUrl: url, MessageBody: good }));
  await done;
  expect(await worker.drain('end', 10_000)).toMatchObject({ stuck: 0, failure: null, givenBack: 0 });
  expect(await filesInWorkDir(workDir)).toEqual([]);
  expect(readdirSync(join(workDir, '..'))).toEqual(['work']);
  expect((await childrenOf()).filter(({ name }) => /ffmpeg|ffprobe/.test(name))).toEqual([]);
}, 240_000);

function originalId(attributes: Readonly<Record<string, MessageAttributeValue>>): string {
  const folded = attributes['failure_context']?.StringValue;
  if (folded === undefined) return attributes['original_message_id']?.StringValue ?? '';
  return (JSON.parse(folded) as { original_message_id: string }).original_message_id;
}
