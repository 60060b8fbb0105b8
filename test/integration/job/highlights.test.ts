import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { encodeJpeg } from '../../../src/chain/jpeg.ts';
import type { FrameHandle, JpegOptions } from '../../../src/chain/model-chain.ts';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { RETRY_POLICIES } from '../../../src/failure/retry.ts';
import type { VideoProcessorSettings } from '../../../src/job/job-context.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import type { Frame } from '../../../src/video/frame.ts';
import type { ProcessJob } from '../../../src/worker/delivery.ts';
import { FakeChain } from '../../harness/fake-chain.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../../harness/local-aws.ts';
import { videoWorkerHere } from '../../harness/command-in-process.ts';
import { runVideoWorker } from '../../harness/operator-command.ts';
import type { Ended } from '../../harness/run-program.ts';
import { startVideoGround, type VideoGround } from '../../harness/video-ground.ts';
import { createVideoWorker, type VideoWorker } from '../../harness/video-worker.ts';
import { sharedFrame } from '../../harness/shared-frame.ts';

const idle = new AbortController().signal;
const held = new AsyncDisposableStack();
let ground: VideoGround;
let rig: VideoWorker;
let processJob: ProcessJob;
let onPut: (key: string) => void;
/** Keys that were tried, each try. */
let puts: string[];

beforeAll(async () => {
  ground = held.use(await startVideoGround(3));
  const made = await makeWorker('images', {});
  rig = held.use(made.rig);
  processJob = made.processJob;
  await ground.sqs.store().send(new CreateBucketCommand({ Bucket: 'videos' }));
});
beforeEach(() => {
  puts = [];
  onPut = () => undefined;
});
afterAll(async () => {
  await held.disposeAsync();
});

async function makeWorker(bucket: string, processing: Partial<VideoProcessorSettings>) {
  const { queueUrl } = ground.sqs.server.createQueue(`queue-${bucket}-${processing.highlightsRequired === true}`);
  let made: ProcessJob | undefined;
  const worker = await createVideoWorker({
    endpoint: ground.sqs.endpoint,
    queueUrl,
    deadLetterUrl: queueUrl,
    databaseUrl: ground.postgres.url,
    workDir: ground.folder.at('work'),
    logger: createLogger({ level: 'silent', format: 'json', name: 'test' }),
    chain: drawingChain(),
    processing: {
      highlightsBucket: bucket,
      highlightsRetry: { ...RETRY_POLICIES.default, retries: 1, baseMs: 1 },
      ...processing,
    },
    wrap: (job) => (made = job),
  });
  worker.s3.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName === 'PutObjectCommand') {
          const { Key = '' } = args.input as { Key?: string };
          puts.push(Key);
          onPut(Key);
        }
        return await next(args);
      },
    { step: 'initialize' },
  );
  return { rig: worker, processJob: made! };
}

/** Two persons who fall at once, on boxes that no pixel begins with, and real pictures of them. */
function drawingChain(): FakeChain {
  const chain = new FakeChain(() => [
    { box: [8.126, 8.333, 32, 48], action: 'falling' },
    { box: [40.5, 10, 60.25, 50], action: 'falling' },
  ]);
  const frames = new Map<FrameHandle, Frame>();
  const addFrame = chain.addFrame.bind(chain);
  return Object.assign(chain, {
    addFrame: (frame: Frame): FrameHandle => {
      const handle = addFrame(frame);
      frames.set(handle, sharedFrame(frame));
      return handle;
    },
    jpeg: async (handle: FrameHandle, options: JpegOptions): Promise<Uint8Array> =>
      await encodeJpeg(frames.get(handle)!, options),
  });
}

async function run(key: string, process = processJob): Promise<Disposition> {
  await ground.sqs.store().send(new PutObjectCommand({ Bucket: 'videos', Key: key, Body: ground.video }));
  const job = {
    bucket: 'videos',
    key,
    versionId: null,
    etag: null,
    videoId: key,
    priority: 'normal',
    source: 'backend',
  } as const;
  return await process(
    {
      job,
      messageId: key,
      correlationId: key,
      receiveCount: 1,
      isLastReceive: false,
      confirmLease: async () => undefined,
    },
    idle,
  );
}

async function stored(externalId: string) {
  const video = await rig.database.prisma.video.findFirstOrThrow({
    where: { externalId },
    include: { result: { include: { events: { orderBy: { id: 'asc' } } } } },
  });
  return {
    status: video.status,
    degraded: video.result?.degraded,
    keys: video.result?.events.map(({ highlightKey }) => highlightKey),
    buckets: video.result?.events.map(({ highlightBucket }) => highlightBucket),
  };
}

async function imagesOf(bucket: string, externalId: string): Promise<readonly [string, Buffer][]> {
  const s3 = ground.sqs.store();
  const listed = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `highlights/${externalId}/` }));
  return await Promise.all(
    (listed.Contents ?? []).map(async ({ Key = '' }): Promise<[string, Buffer]> => {
      const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      return [Key.replace(externalId, 'VIDEO'), Buffer.from((await object.Body?.transformToByteArray()) ?? [])];
    }),
  );
}

const makeUp = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  command(['highlights', ...args], env);

/** Here, and where it is said as a process of its own. */
function command(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  start = videoWorkerHere,
): Promise<Ended> {
  return start(args, {
    AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    AWS_REGION: TEST_REGION,
    AWS_ENDPOINT_URL: ground.sqs.endpoint,
    S3_FORCE_PATH_STYLE: 'on',
    DATABASE_URL: ground.postgres.url,
    HIGHLIGHTS_BUCKET: 'images',
    HIGHLIGHT_ACTIONS: 'falling',
    WORK_DIR: ground.folder.at('work'),
    ...env,
  });
}

const named = (name: string): Error => Object.assign(new Error(name), { name });

test('a bucket of images that is missing costs the images alone, and they are made up later as they would have been', async () => {
  expect(await run('disturbed')).toEqual({ kind: 'ack', outcome: 'completed' });
  expect(await stored('disturbed')).toEqual({
    status: 'completed',
    degraded: [
      {
        stage: 'highlights',
        code: 'OUTPUT_REFUSED',
        message: expect.stringMatching(/^2 of 2 images: .*NoSuchBucket/),
        count: 2,
      },
    ],
    keys: [null, null],
    buckets: [null, null],
  });
  expect(puts).toHaveLength(1);

  const refused = { code: 3, stderr: expect.stringContaining('OUTPUT_REFUSED') };
  expect(await command(['highlights', 'disturbed'], {}, runVideoWorker)).toMatchObject(refused);

  await ground.sqs.store().send(new CreateBucketCommand({ Bucket: 'images' }));
  expect(await run('undisturbed')).toEqual({ kind: 'ack', outcome: 'completed' });
  const expected = await imagesOf('images', 'undisturbed');
  expect(expected.map(([key]) => key)).toEqual([
    'highlights/VIDEO/0.0s_falling_2.jpg',
    'highlights/VIDEO/0.0s_falling.jpg',
  ]);
  expect(expected[0]?.[1].subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
  expect(expected[0]?.[1]).not.toEqual(expected[1]?.[1]);

  expect(await command(['highlights', '--missing'], {}, runVideoWorker)).toMatchObject({
    code: 0,
    stdout: 'disturbed  2 images\n',
  });
  expect(await imagesOf('images', 'disturbed')).toEqual(expected);
  expect(await stored('disturbed')).toMatchObject({
    keys: ['highlights/disturbed/0.0s_falling.jpg', 'highlights/disturbed/0.0s_falling_2.jpg'],
    buckets: ['images', 'images'],
  });
  expect(await makeUp(['--missing'])).toMatchObject({ code: 0, stdout: 'no image is missing\n' });
});

test('the images that got there stay, and their events alone name one', async () => {
  let tries = 0;
  onPut = () => {
    tries += 1;
    if (tries > 1) throw named('AccessDenied');
  };
  expect(await run('half')).toEqual({ kind: 'ack', outcome: 'completed' });
  expect(await stored('half')).toMatchObject({
    keys: ['highlights/half/0.0s_falling.jpg', null],
    degraded: [{ stage: 'highlights', code: 'OUTPUT_REFUSED', count: 1 }],
  });
  expect(await makeUp(['half'])).toMatchObject({ code: 0, stdout: 'half  1 image\n' });
  expect(await imagesOf('images', 'half')).toEqual(await imagesOf('images', 'undisturbed'));
});

test.each(['SlowDown', 'KmsDisabled', 'InvalidAccessKeyId', 'ECONNRESET'])(
  '%s for an image is tried again where it may pass, and then the findings are stored without',
  async (name) => {
    onPut = () => {
      throw name.startsWith('E') ? Object.assign(new Error('reset'), { code: name }) : named(name);
    };
    expect(await run(`without-${name}`)).toEqual({ kind: 'ack', outcome: 'completed' });
    expect(await stored(`without-${name}`)).toMatchObject({ keys: [null, null], degraded: [{ count: 2 }] });
    expect(puts).toHaveLength(name === 'InvalidAccessKeyId' ? 1 : 2);
  },
);

test('where images are required, a bucket that refuses them stops the worker and one that is away waits', async () => {
  const strict = await makeWorker('absent', { highlightsRequired: true });
  await using _worker = strict.rig;
  expect(await run('strict', strict.processJob)).toMatchObject({
    kind: 'halt',
    failure: { code: 'OUTPUT_REFUSED', stage: 'highlights' },
  });
  onPut = () => {
    throw named('SlowDown');
  };
  expect(await run('strict-busy', strict.processJob)).toMatchObject({ kind: 'retry', failure: { code: 'THROTTLED' } });
});

test.each(['FFMPEG_PATH', 'FFPROBE_PATH'])(
  'the command stops at a program that is not the one that %s asks for, and finds no fault with a video',
  async (name) => {
    const { code, stdout, stderr } = await makeUp(['--missing'], { [name]: '/bin/true' });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^FFMPEG_MISSING: \/bin\/true does not answer -version/);
  },
);

test.each(['FFMPEG_PATH', 'FFPROBE_PATH'])(
  'a report without key frames names the program that is not the one that %s asks for',
  async (name) => {
    const out = ground.folder.at(`report-${name}.html`);
    const { code, stderr } = await command(['report', 'undisturbed', '--out', out], { [name]: '/bin/true' });
    expect([code, stderr]).toEqual([0, expect.stringContaining('no key frames: /bin/true does not answer -version')]);
  },
);

test('the command tells of a video whose object is gone or another one, and goes on to the next', async () => {
  const [gone, other, good] = ['without-SlowDown', 'without-KmsDisabled', 'without-ECONNRESET'] as const;
  const s3 = ground.sqs.store();
  await s3.send(new DeleteObjectCommand({ Bucket: 'videos', Key: gone }));
  await s3.send(new PutObjectCommand({ Bucket: 'videos', Key: other, Body: 'another content' }));
  const answer = await makeUp([gone, other, good]);
  expect(answer).toMatchObject({ code: 6, stdout: 'without-ECONNRESET  2 images\n' });
  expect(answer.stderr).toMatch(/without-SlowDown: OBJECT_NOT_FOUND/);
  expect(answer.stderr).toMatch(/without-KmsDisabled: OBJECT_CHANGED/);
});

/** Analyses a video, none of whose images gets to the bucket. */
async function withoutImages(key: string) {
  onPut = () => {
    throw named('AccessDenied');
  };
  expect(await run(key)).toEqual({ kind: 'ack', outcome: 'completed' });
  const { prisma } = rig.database;
  const video = await prisma.video.findFirstOrThrow({
    where: { externalId: key },
    include: { result: { include: { events: { orderBy: { id: 'asc' } } } } },
  });
  return { prisma, video, events: video.result?.events ?? [] };
}

test('an analysis that saw the same picture in another size gets the same images', async () => {
  const { prisma, video, events } = await withoutImages('squeezed');
  await prisma.video.update({ where: { id: video.id }, data: { width: (video.width ?? 0) / 2 } });
  for (const { id, x1, x2 } of events) {
    await prisma.actionEvent.update({ where: { id }, data: { x1: x1 / 2, x2: x2 / 2 } });
  }
  expect(await makeUp(['squeezed'])).toMatchObject({ code: 0, stdout: 'squeezed  2 images\n' });
  expect(await imagesOf('images', 'squeezed')).toEqual(await imagesOf('images', 'undisturbed'));
});

test('the command tells of events whose frames it does not meet', async () => {
  const { prisma, events } = await withoutImages('sampled-otherwise');
  await prisma.actionEvent.update({ where: { id: events[0]!.id }, data: { frameIndex: 1_000_000 } });
  const answer = await makeUp(['sampled-otherwise']);
  expect(answer).toMatchObject({ code: 6, stdout: 'sampled-otherwise  1 image\n' });
  expect(answer.stderr).toContain('sampled-otherwise: the frames of 1 of its events are no longer sampled');
});

test('a number is not enough to know a frame by where frames were left out', async () => {
  const { prisma, video, events } = await withoutImages('decoded-fast');
  await prisma.analysisRun.updateMany({ where: { videoId: video.id }, data: { decode: 'fast' } });
  const [first] = events;
  await prisma.actionEvent.update({ where: { id: first!.id }, data: { startSeconds: first!.startSeconds + 0.7 } });
  const answer = await makeUp(['decoded-fast']);
  expect(answer).toMatchObject({ code: 6, stdout: 'decoded-fast  1 image\n' });
  expect(answer.stderr).toContain('the frames of 1 of its events are no longer sampled');
});

test('the command asks for what it needs', async () => {
  expect(await makeUp([])).toMatchObject({ code: 1, stderr: expect.stringContaining('--missing') });
  expect(await makeUp(['nobody'])).toMatchObject({ code: 6, stderr: expect.stringContaining('nobody') });
});
