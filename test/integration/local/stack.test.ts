import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';

import { GetObjectCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';

import { loadConfig } from '../../../src/config/config.ts';
import { enqueueVideo } from '../../../src/queue/sqs/enqueue.ts';
import { type LocalStack, startLocalStack } from '../../../src/local/stack.ts';
import { uploadVideo } from '../../../src/storage/upload-video.ts';
import { localS3, localSqs } from '../../harness/local-aws.ts';
import { childrenOf, untilGone } from '../../harness/processes.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const signal = new AbortController().signal;
const held = new AsyncDisposableStack();
let stack: LocalStack;
let sqs: SQSClient;
let s3: S3Client;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = held.use(await temporaryFolder('stack-test'));
  stack = held.use(await startLocalStack({ dataDir: 'memory', port: 0 }));
  sqs = held.adopt(localSqs(stack), (client) => client.destroy());
  s3 = held.adopt(localS3(stack), (client) => client.destroy());
});

afterAll(async () => {
  await held.disposeAsync();
});

describe('the local stack', () => {
  test('is given nothing of the environment that credentials may be in', async () => {
    const servers = (await childrenOf()).filter(({ commandLine }) => /(fauxqs|postgres)-process/.test(commandLine));
    expect(servers.length).toBeGreaterThanOrEqual(2);
    for (const { pid } of servers) {
      const names = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').map((entry) => entry.split('=')[0]);
      expect(
        names.filter(
          (name) => !['PATH', 'TMPDIR', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', ''].includes(name!),
        ),
      ).toEqual([]);
    }
  });

  test('gives the worker an environment that is a valid configuration', () => {
    const config = loadConfig({ ...stack.env, MODEL_PACK: 'models/demo' }, { needs: ['queue', 'database', 'models'] });
    expect(config.queue.url).toBe(stack.queueUrl);
  });

  test('has the queue with a redrive policy to the dead-letter queue', async () => {
    const main = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: stack.queueUrl, AttributeNames: ['All'] }));
    const dead = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: stack.dlqUrl, AttributeNames: ['All'] }));
    const redrive = JSON.parse(main.Attributes?.RedrivePolicy ?? '{}') as Record<string, string>;
    expect(redrive['deadLetterTargetArn']).toBe(dead.Attributes?.QueueArn);
    expect(dead.Attributes?.MessageRetentionPeriod).toBe('1209600');
  });

  test('delivers the message of the backend', async () => {
    const video = { queueUrl: stack.queueUrl, bucket: 'b', key: 'videos/a b+c.mp4', videoId: '42' };
    const id = await enqueueVideo(sqs, video, signal);
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: stack.queueUrl, MessageAttributeNames: ['All'] }),
    );
    expect(Messages?.[0]?.MessageId).toBe(id);
    expect(Messages?.[0]?.MessageAttributes?.['video_id']?.StringValue).toBe('42');
    expect(JSON.parse(Messages?.[0]?.Body ?? '')).toMatchObject({
      eventType: 'video-uploaded',
      s3: { bucket: 'b', key: 'videos/a b+c.mp4' },
      video: { id: '42', status: 'pending' },
      processing: { priority: 'normal' },
    });
  });

  test.each([0, 1000, 8 * 1024 ** 2, 17 * 1024 ** 2 + 3])('stores a file of %i bytes unchanged', async (size) => {
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; at += 4093) bytes[at] = at % 251;
    const file = folder.at(`${size}.mp4`);
    await writeFile(file, bytes);
    const target = { bucket: stack.uploadsBucket, key: `in/${size}.mp4`, contentType: 'video/mp4' };
    expect(await uploadVideo(s3, target, file, signal)).toBe(size);
    const object = await s3.send(new GetObjectCommand({ Bucket: target.bucket, Key: target.key }));
    const stored = Buffer.from((await object.Body?.transformToByteArray()) ?? []);
    expect(stored.equals(bytes)).toBe(true);
    expect(object.ContentType).toBe('video/mp4');
  });

  test('an upload that is given up leaves no parts behind', async () => {
    const file = folder.at('given-up.mp4');
    await writeFile(file, Buffer.alloc(20 * 1024 ** 2));
    const controller = new AbortController();
    let parts = 0;
    const counting = localS3(stack);
    counting.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName === 'UploadPartCommand' && (parts += 1) === 2) controller.abort(new Error('enough'));
        return next(args);
      },
      { step: 'initialize' },
    );
    const target = { bucket: stack.uploadsBucket, key: 'given-up.mp4', contentType: 'video/mp4' };
    await expect(uploadVideo(counting, target, file, controller.signal)).rejects.toThrow();
    counting.destroy();
    expect(parts).toBe(2);
    const open = await s3.send(new ListMultipartUploadsCommand({ Bucket: stack.uploadsBucket }));
    expect(open.Uploads ?? []).toEqual([]);
  });

  test('answers SQL', async () => {
    const client = new Client({ connectionString: stack.databaseUrl });
    await client.connect();
    expect((await client.query('SELECT 1 + 1 AS two')).rows).toEqual([{ two: 2 }]);
    await client.end();
  });
});

test('leaves no process behind when the one that started it is killed', async () => {
  const program = `
    import { startLocalStack } from ${JSON.stringify(new URL('../../../src/local/stack.ts', import.meta.url).href)};
    const stack = await startLocalStack({ dataDir: 'memory', port: 0 });
    console.log(stack.endpoint);
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(parent.stdout, 'data');
  const children = await childrenOf(parent.pid);
  expect(children).toHaveLength(2);
  parent.kill('SIGKILL');
  for (const { pid } of children) await untilGone(pid);
});
